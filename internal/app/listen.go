package app

import (
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"masthead/internal/web"
)

// doorway is one address that the program listens on.
type doorway struct {
	server   *http.Server
	listener net.Listener
}

func (d doorway) serve() error {
	if d.server.TLSConfig != nil {
		return d.server.ServeTLS(d.listener, "", "")
	}
	return d.server.Serve(d.listener)
}

// listen opens the public address first, then those of the redirect and of the
// operations, where the settings name them.
func (a *App) listen(handler http.Handler, registry *prometheus.Registry) (doors []doorway, err error) {
	defer func() {
		for _, d := range doors {
			if err != nil {
				d.listener.Close()
			}
		}
	}()
	id, err := newIdentity(a.Config, a.Log)
	if err != nil {
		return nil, err
	}
	places := []struct {
		addr    string
		handler http.Handler
		public  bool
	}{{a.Config.Addr, handler, true}}
	if id != nil {
		id.expiry(registry)
		if a.Config.RedirectAddr != "" {
			places = append(places, places[0])
			places[1].addr, places[1].handler = a.Config.RedirectAddr, id.redirect(a.Config)
		}
	}
	if a.Config.OpsAddr != "" {
		places = append(places, places[0])
		last := &places[len(places)-1]
		last.addr, last.handler, last.public = a.Config.OpsAddr, a.ops(registry), false
	}
	counted := newConns(a.Config, a.Log, registry)
	for i, p := range places {
		l, err := net.Listen("tcp", p.addr)
		if err != nil {
			return doors, fmt.Errorf("listen on %s: %w", p.addr, err)
		}
		d := doorway{newServer(p.handler, a.Log), l}
		if i == 0 && id != nil {
			d.server.TLSConfig = id.config()
		}
		if p.public {
			d.listener = &listener{TCPListener: l.(*net.TCPListener), conns: counted, plain: d.server.TLSConfig == nil}
			d.server.ConnState, d.server.ConnContext = counted.state, web.ConnContext
		}
		doors = append(doors, d)
	}
	a.identity = id
	return doors, nil
}

// newServer bounds what one connection may take.
func newServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: alone(h), ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeader, ErrorLog: serverLog(log),
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: 100,              // RFC 9113 §6.5.2 asks for no fewer
			SendPingTimeout:      30 * time.Second, // a client that has gone without a word is found out
			PingTimeout:          15 * time.Second,
			WriteByteTimeout:     30 * time.Second, // and so is one that takes nothing
		},
	}
}

// serverLog brings what net/http has to tell into the log. Which address could
// not agree on TLS, or sent what is no HTTP, is no news: anybody can do that all day.
func serverLog(to *slog.Logger) *log.Logger { return log.New(serverWriter{to}, "", 0) }

type serverWriter struct{ log *slog.Logger }

// Write implements [io.Writer].
func (w serverWriter) Write(line []byte) (int, error) {
	text := strings.TrimSpace(string(line))
	switch {
	case strings.HasPrefix(text, "http: TLS handshake error"), strings.HasPrefix(text, "http2: "):
		w.log.Debug("connection", "error", text)
	default:
		w.log.Warn("server", "error", text)
	}
	return len(line), nil
}

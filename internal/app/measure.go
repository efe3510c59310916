package app

import (
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// measures count requests by kind of address and status, and their time. What
// there is to add to is found once.
type measures struct{ site, api, desk, assets, media *area }

// area is one kind of address.
type area struct {
	requests *prometheus.CounterVec // by code
	byCode   [600]atomic.Pointer[prometheus.Counter]
	seconds  prometheus.Observer
}

func newMeasures(registry *prometheus.Registry) *measures {
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "masthead_requests_total", Help: "Requests by area and status."}, []string{"area", "code"})
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "masthead_request_seconds", Help: "Time of a request by area.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5}}, []string{"area"})
	registry.MustRegister(requests, seconds)
	of := func(name string) *area {
		return &area{requests: requests.MustCurryWith(prometheus.Labels{"area": name}), seconds: seconds.WithLabelValues(name)}
	}
	return &measures{site: of("site"), api: of("api"), desk: of("desk"), assets: of("assets"), media: of("media")}
}

// done counts a request that was answered.
func (m *measures) done(r *http.Request, status int, took time.Duration) {
	a := m.site
	switch first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/"); first {
	case "api":
		a = m.api
	case "desk":
		a = m.desk
	case "assets":
		a = m.assets
	case "media":
		a = m.media
	}
	a.count(status)
	a.seconds.Observe(took.Seconds())
}

func (a *area) count(status int) {
	if status < 0 || status >= len(a.byCode) {
		a.requests.WithLabelValues(strconv.Itoa(status)).Inc()
		return
	}
	c := a.byCode[status].Load()
	if c == nil {
		found := a.requests.WithLabelValues(strconv.Itoa(status))
		c = &found
		a.byCode[status].Store(c)
	}
	(*c).Inc()
}

package app_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"masthead/internal/app"
	"masthead/internal/db"
	"masthead/internal/staff"
)

// Somebody writes, somebody watches, and the program is stopped and started
// between: nothing is lost, the connection is told to come back, and the program
// does not wait for it.
func TestWritingOutlastsTheProgram(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *room) {
		var cookie, edition string
		r.tx(func(ctx context.Context, tx *db.Tx) error {
			p, err := r.Staff.Add(ctx, tx, staff.Person{Email: "eva@quay.example", Role: staff.Editor})
			if err != nil {
				return err
			}
			_, cookie, err = r.Staff.StartSession(ctx, tx, p.ID, staff.Made{By: staff.ByPasskey})
			return err
		})
		for _, e := range r.editions {
			edition = e.ID
		}
		config := r.Config
		version := 0
		for life := range 2 {
			a := r.App
			if life > 0 {
				var err error
				if a, err = app.Open(t.Context(), config, r.Log); err != nil {
					t.Fatal(err)
				}
			}
			ctx, stop := context.WithCancel(t.Context())
			ready, done := make(chan string, 1), make(chan error, 1)
			go func() { done <- a.Serve(ctx, func(addr net.Addr) { ready <- addr.String() }) }()
			var base string
			select {
			case addr := <-ready:
				base = "http://" + addr + "/desk/stories/" + edition + "/draft"
			case err := <-done:
				t.Fatalf("it is not served: %v", err)
			}
			ask := func(method, url, body string) *http.Response {
				t.Helper()
				req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("Content-Type", "application/json")
				req.Header.Set("Accept-Encoding", "gzip")
				req.AddCookie(&http.Cookie{Name: "staff", Value: cookie})
				res, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				if res.StatusCode != http.StatusOK {
					text, _ := io.ReadAll(res.Body)
					t.Fatalf("%s %s = %d %s", method, url, res.StatusCode, text)
				}
				return res
			}
			ask("GET", base, "").Body.Close()
			stream := ask("GET", fmt.Sprintf("%s/stream?version=%d&client=b", base, version), "")
			lines := bufio.NewScanner(stream.Body)
			until := func(event string) (data struct {
				Version int
				Reason  string
			}) {
				t.Helper()
				for lines.Scan() {
					if lines.Text() == "event: "+event {
						for lines.Scan() {
							if text, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
								if err := json.Unmarshal([]byte(text), &data); err != nil {
									t.Fatal(err)
								}
								return data
							}
						}
					}
				}
				t.Fatalf("the stream ended before %s: %v", event, lines.Err())
				return data
			}
			if hello := until("hello"); hello.Version != version {
				t.Errorf("life %d begins at version %d, want %d", life, hello.Version, version)
			}
			for range 3 {
				start := time.Now()
				ask("POST", base+"/steps", fmt.Sprintf(`{"version":%d,"client":"a","id":"l%dv%d","steps":[{"stepType":"replace","from":1,"to":1,"slice":{"content":[{"type":"text","text":"x"}]}}]}`,
					version, life, version)).Body.Close()
				version++
				if heard := until("steps"); heard.Version != version {
					t.Errorf("heard of version %d, want %d", heard.Version, version)
				}
				if took := time.Since(start); took > 2*time.Second {
					t.Errorf("heard after %v", took)
				}
			}
			stopped := time.Now()
			stop()
			if end := until("end"); end.Reason != "restart" {
				t.Errorf("%+v", end)
			}
			stream.Body.Close()
			if err := <-done; err != nil {
				t.Error(err)
			}
			if took := time.Since(stopped); took > 10*time.Second {
				t.Errorf("the program took %v to end", took)
			}
			if life > 0 {
				if err := a.Close(); err != nil {
					t.Error(err)
				}
			}
		}
	})
}

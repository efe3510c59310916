package site

import (
	"math/rand/v2"
	"net/http"

	"masthead/internal/wall"
	"masthead/internal/web"
)

// tally has a decision recorded, and puts an anonymous visitor into the trial
// that is on as soon as there is a cookie to hold his arm. This visit goes by
// the wall that he had.
func (n *Newsroom) tally(w http.ResponseWriter, r *http.Request, visit *wall.Visit, it *wall.Item, d *wall.Decision) {
	if n.Recorder == nil || visit.Peek {
		return
	}
	n.Wall.RecordOn(n.Recorder, visit, it, d)
	v := visitorOf(r)
	if v.reader != nil || v.staff != nil || visit.Crawler != "" || v.meter == nil && !d.Count {
		return
	}
	m, arm, joined := n.Wall.Draw(v.meter, visit.Now, rand.IntN(100))
	if !joined {
		return
	}
	v.meter = m
	n.Recorder.Joined(arm)
	if !d.Count { // else it is written with the story that is counted
		web.SetCookie(w, r, meterCookie, n.MeterKeys.Write(m), n.Wall.Window())
	}
}

// registered counts that a visitor of a trial's arm has become a reader.
func (n *Newsroom) registered(r *http.Request, first bool) {
	if n.Recorder == nil || !first {
		return
	}
	if arm := n.Wall.Arm(visitorOf(r).meter, n.Now()); arm != wall.NoArm {
		n.Recorder.Registered(arm)
	}
}

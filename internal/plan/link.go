package plan

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/job"
)

// CheckLinks is the job that asks for the addresses an edition points to.
type CheckLinks struct {
	EditionID string `json:"edition"`
}

// Kind implements [job.Args].
func (CheckLinks) Kind() string { return "check_links" }

// AskLinks has the addresses that an edition points to asked for anew.
func (s *Store) AskLinks(ctx context.Context, tx *db.Tx, editionID string) error {
	return s.post(ctx, tx, CheckLinks{EditionID: editionID}, job.Opts{UniqueKey: editionID, MaxAttempts: 3})
}

// linksLife is how long an answer is good; linksAtOnce, how many addresses are
// asked at a time.
const (
	linksLife   = 24 * time.Hour
	linksAtOnce = 4
)

// CheckLinks asks for each address elsewhere that an edition points to, unless
// that was done within a day, and writes down what came of it.
func (s *Store) CheckLinks(ctx context.Context, d *db.DB, editionID string) (err error) {
	defer wrap(&err, "CheckLinks(%s)", editionID)
	e, err := s.Stories.EditionByID(ctx, d.Read(), editionID)
	if fault.Is(err, fault.NotFound) || s.Fetch == nil {
		return nil
	}
	if err != nil {
		return err
	}
	_, others := s.links(e)
	if len(others) == 0 {
		return nil
	}
	in, args := db.In(2, others)
	rows, err := d.Read().QueryContext(ctx, `SELECT url FROM link_check WHERE at > $1 AND url IN `+in, append([]any{db.Micros(s.Now().Add(-linksLife))}, args...)...)
	fresh, err := db.Rows(rows, err, func(r db.Scanner) (u string, err error) { return u, r.Scan(&u) })
	if err != nil {
		return err
	}
	others = slices.DeleteFunc(others, func(u string) bool { return slices.Contains(fresh, u) })
	results := make([]string, len(others))
	var wg sync.WaitGroup
	turn := make(chan struct{}, linksAtOnce)
	for i, address := range others {
		wg.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			results[i] = s.ask(ctx, address)
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	return d.InTx(ctx, func(tx *db.Tx) error {
		for i, address := range others {
			if _, err := tx.ExecContext(ctx, `INSERT INTO link_check (url, at, result) VALUES ($1, $2, $3)
				ON CONFLICT (url) DO UPDATE SET at = excluded.at, result = excluded.result`, address, db.Micros(s.Now()), results[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// ask gives what is at an address: gone is only what says so itself, or whose
// host has no name. Many servers turn programs away whose pages people read.
func (s *Store) ask(ctx context.Context, address string) string {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "gone"
	}
	r.Header.Set("User-Agent", "Masthead (link check)")
	answer, err := s.Fetch.HTTP().Do(r)
	if lost, ok := errors.AsType[*net.DNSError](err); ok && lost.IsNotFound {
		return "gone"
	}
	if err != nil {
		return "away"
	}
	defer answer.Body.Close()
	io.CopyN(io.Discard, answer.Body, 4<<10) // so that the connection can be used again
	switch {
	case answer.StatusCode == http.StatusNotFound || answer.StatusCode == http.StatusGone:
		return "gone"
	case answer.StatusCode < 400:
		return "good"
	}
	return "away"
}

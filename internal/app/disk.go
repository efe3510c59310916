package app

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/relay"
)

// How often a full disk is tried again, and how often the log hears of one that
// is full now and then.
const (
	diskTry  = 5 * time.Second
	diskTold = 10 * time.Minute

	diskProbe = 512 << 10 // bytes
)

// disk knows whether the database has room. Once it refuses to write for want of
// it, writes are tried until one goes through; meanwhile what reads goes on.
type disk struct {
	log *slog.Logger
	now func() time.Time

	mu    sync.Mutex
	since time.Time // the zero Time while there is room
	told  time.Time // when the log was last told
	loud  bool      // the log knows of it
	woken chan struct{}
}

func newDisk(log *slog.Logger, now func() time.Time) *disk {
	return &disk{log: log, now: now, woken: make(chan struct{}, 1)}
}

// full gives since when there is no room.
func (k *disk) full() (since time.Time, full bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.since, !k.since.IsZero()
}

// failed hears of every transaction that failed.
func (k *disk) failed(err error) {
	if !fault.Is(err, fault.Full) {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.since.IsZero() {
		return
	}
	k.since = k.now()
	if since := k.since.Sub(k.told); since < 0 || since >= diskTold {
		k.told, k.loud = k.since, true
		k.log.Error("the disk is full: nothing can be written; reading goes on", "error", err)
	}
	select {
	case k.woken <- struct{}{}:
	default:
	}
}

func (k *disk) room() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.loud {
		k.log.Info("there is room again: everything can be written", "after", k.now().Sub(k.since).Round(time.Second).String())
	}
	k.since, k.loud = time.Time{}, false
}

// watch tries, while there is no room, whether there is some again, until ctx ends.
func (k *disk) watch(ctx context.Context, d *db.DB) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.woken:
		}
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(diskTry):
			}
			// Told to every node, heard by nobody, and forgotten within the hour. It
			// is large and cannot be compressed: a row of a few bytes may find room
			// in a page where nothing else does.
			random := make([]byte, diskProbe/2)
			rand.Read(random)
			if d.InTx(ctx, func(tx *db.Tx) error { return relay.Tell(ctx, tx, "disk:"+hex.EncodeToString(random)) }) == nil {
				k.room()
				break
			}
		}
	}
}

func (k *disk) metrics(registry *prometheus.Registry) {
	registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "masthead_disk_full",
		Help: "1 while the database refuses to write for want of room."}, func() float64 {
		if _, full := k.full(); full {
			return 1
		}
		return 0
	}))
}

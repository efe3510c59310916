package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

func newLog() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// shot is one picture to take.
type shot struct {
	page   string // "/en/front"
	width  int64
	scheme string // "light", "dark" or "print"
}

func (s shot) name() string {
	return fmt.Sprintf("%s-%d-%s", strings.ReplaceAll(strings.Trim(s.page, "/"), "/", "-"), s.width, s.scheme)
}

func allShots() (list []shot) {
	for _, page := range []string{"front", "story-wall", "story-open", "story-plain", "section", "topic", "author",
		"archive", "search", "register", "signin", "code", "confirm", "account", "plain", "error", "outbox", "letter",
		"story-subscribe", "story-five", "front-bare", "mail", "story-sink"} {
		for _, lang := range []string{"en", "ar", "he", "ru", "fr"} {
			for _, width := range []int64{360, 390, 768, 1280, 1680} {
				for _, scheme := range []string{"light", "dark", "print"} {
					list = append(list, shot{"/" + lang + "/" + page, width, scheme})
				}
			}
		}
	}
	return list
}

// takeShots takes every picture whose name matches only, each of the whole
// page, and prints the widest element of pages that scroll sideways.
func takeShots(base, folder, only string) error {
	match, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	profile, err := os.MkdirTemp("", "gallery-profile-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(profile)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(profile), chromedp.Flag("hide-scrollbars", true), chromedp.Flag("disable-quic", true))
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	defer cancel()
	browser, cancel := chromedp.NewContext(allocator)
	defer cancel()
	// The first page starts a new process, which forgets the screen's size.
	if err := chromedp.Do(browser, chromedp.Navigate(base)); err != nil {
		return err
	}
	for _, s := range allShots() {
		if !match.MatchString(s.name()) {
			continue
		}
		data, err := take(browser, base, s)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name(), err)
		}
		if data, err = strip(data); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, s.name()+".png"), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func take(ctx context.Context, base string, s shot) ([]byte, error) {
	scheme := func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		params := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: s.scheme}}}
		if s.scheme == "print" {
			params = emulation.SetEmulatedMediaParams{Media: "print"}
		}
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, params)
		return chromedp.Void{}, err
	}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(s.width, 900), scheme, chromedp.Navigate(base+s.page)); err != nil {
		return nil, err
	}
	const settled = `(() => { for (const i of document.images) { i.loading = "eager"; i.decoding = "sync"; }
		return document.fonts.status == "loaded" && [...document.images].every(i => i.complete && i.naturalWidth > 0); })()`
	for range 100 {
		done, err := chromedp.Run(ctx, chromedp.Evaluate[bool](settled))
		if err != nil {
			return nil, err
		}
		if done {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	const widest = `(() => { const w = document.documentElement.clientWidth; if (document.documentElement.scrollWidth <= w) return "";
		return [...document.querySelectorAll("main *, header *, footer *")].filter(e => { const r = e.getBoundingClientRect(); return (r.right > w + 1 || r.left < -1) && !e.closest(".sections, .unseen, .skip"); })
		.slice(0, 3).map(e => e.tagName + "." + e.className).join(" ") || "?"; })()`
	wide, err := chromedp.Run(ctx, chromedp.Evaluate[string](widest))
	if err != nil {
		return nil, err
	}
	if wide != "" {
		fmt.Println(s.name(), "scrolls sideways:", wide)
	}
	return chromedp.Run(ctx, chromedp.FullScreenshot(100))
}

// strip lays a long and narrow picture out in columns, so that it can be seen
// at its own size.
func strip(data []byte) ([]byte, error) {
	const tall, gap = 1500, 24
	page, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	size := page.Bounds().Size()
	if size.Y <= tall || size.X >= 1000 {
		return data, nil
	}
	columns := (size.Y + tall - 1) / tall
	sheet := image.NewRGBA(image.Rect(0, 0, columns*(size.X+gap), tall))
	draw.Draw(sheet, sheet.Bounds(), image.Black, image.Point{}, draw.Src)
	for i := range columns {
		at := image.Rect(i*(size.X+gap), 0, i*(size.X+gap)+size.X, tall)
		draw.Draw(sheet, at, page, image.Pt(0, i*tall), draw.Src)
	}
	var b bytes.Buffer
	err = png.Encode(&b, sheet)
	return b.Bytes(), err
}

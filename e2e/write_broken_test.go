package e2e

import (
	"cmp"
	"encoding/json"
	"image"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// wire is a line between browsers and a newsroom that can be cut.
type wire struct {
	addr, to string // HOST:PORT; without addr, any is taken

	mu   sync.Mutex
	ends []io.Closer
}

// lay lays the line, or mends it where it was cut. Once a connection has carried
// most bytes upwards the line is cut; 0 is any number.
func (w *wire) lay(most int64) error {
	l, err := net.Listen("tcp", cmp.Or(w.addr, "127.0.0.1:0"))
	if err != nil {
		return err
	}
	w.addr = l.Addr().String()
	w.hold(l)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go w.carry(c, most)
		}
	}()
	return nil
}

func (w *wire) carry(c net.Conn, most int64) {
	server, err := net.Dial("tcp", w.to)
	if err != nil {
		c.Close()
		return
	}
	w.hold(c, server)
	go func() {
		io.Copy(c, server)
		c.Close()
	}()
	if most == 0 {
		io.Copy(server, c)
	} else if _, err := io.CopyN(server, c, most); err == nil {
		w.cut()
	}
	server.Close()
}

func (w *wire) hold(ends ...io.Closer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ends = append(w.ends, ends...)
}

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.ends {
		e.Close()
	}
	w.ends = nil
}

// library gives the names in the media library, and every file of the newsroom's blobs.
func (w *writingRoom) library() (names, blobs []string) {
	w.t.Helper()
	var list struct{ Media []struct{ Name string } }
	status, _, body := w.get(w.t, "/desk/media.json", w.ana)
	if err := json.Unmarshal([]byte(body), &list); status != http.StatusOK || err != nil {
		w.t.Fatalf("the library = %d %v", status, err)
	}
	for _, m := range list.Media {
		names = append(names, m.Name)
	}
	err := filepath.WalkDir(filepath.Join(w.folder, "blobs"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			blobs = append(blobs, path)
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return names, blobs
}

// brokenUpload cuts the line while a large picture is on its way: the writer is
// told, nothing half is kept, and when it is tried again it is there once.
func (w *writingRoom) brokenUpload() {
	w.t.Helper()
	line := &wire{to: strings.TrimPrefix(w.URL, "http://")}
	if err := line.lay(500_000); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(line.cut)
	b := newTab(w.t, &newsroom{URL: "http://" + line.addr})
	b.be(w.ana)
	b.size(1280, 900)
	b.openEditor("/desk/stories/" + w.english + "/write")
	noise := image.NewGray(image.Rect(0, 0, 1600, 1200))
	for i := range noise.Pix {
		noise.Pix[i] = byte(rand.Uint32()) // which no PNG makes smaller
	}
	file := pictureFile(w.t, "hail.png", noise)
	names, blobs := w.library()
	const figures = `document.querySelectorAll("#ed-text figure img").length`
	before := eval[int](b, figures)

	x, y := b.middle("#ed-text > p")
	b.drop(x, y, file)
	b.until(`document.querySelector(".ed-upload-failed")`)
	if got := b.text(".ed-upload-said"); got != "The connection broke." {
		w.t.Errorf("the writer is told %q", got)
	}
	b.cursorAt(0)
	b.typed(" While it hailed.")
	b.until(`document.querySelector(".ed-status").dataset.state === "offline"`)
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(50 * time.Millisecond) { // until the server has noticed
		nowNames, nowBlobs := w.library()
		if slices.Equal(nowNames, names) && slices.Equal(nowBlobs, blobs) {
			break
		}
		if time.Now().After(end) {
			w.t.Fatalf("kept of a half: %q, %q", nowNames, nowBlobs)
		}
	}

	if err := line.lay(0); err != nil {
		w.t.Fatal(err)
	}
	b.press(".ed-upload-failed button:not([hidden])")
	b.until(figures + ` > ` + strconv.Itoa(before) + ` && !document.querySelector(".ed-upload")`)
	b.saved()
	if now, _ := w.library(); len(now) != len(names)+1 || now[0] != "hail.png" {
		w.t.Errorf("the library has %q, and had %q", now, names)
	}
	if text := w.agree(w.english, b); !strings.Contains(text, "While it hailed.") {
		w.t.Errorf("the text is %q", text)
	}
}

// staleSave sends the Markdown form when somebody else has written on in the
// editor: it is refused, both texts are there, and nothing is lost before the
// writer has chosen.
func (w *writingRoom) staleSave(plain, other *tab) {
	w.t.Helper()
	plain.open("/desk/stories/" + w.english + "/write")
	other.cursorAt(0)
	other.typed(" Meanwhile.")
	other.saved()
	plain.fill("#write-body", "My own words.\n\n")
	status := plain.click(".markdown button")
	const value = `document.querySelector("%").value`
	mine, theirs := eval[string](plain, strings.Replace(value, "%", "#write-body", 1)), eval[string](plain, strings.Replace(value, "%", "#write-theirs", 1))
	if status != http.StatusConflict || plain.text(".problem") == "" || !strings.Contains(mine, "My own words.") || strings.Contains(mine, "Meanwhile.") ||
		!strings.Contains(theirs, "Meanwhile.") || strings.Contains(theirs, "My own words.") {
		w.t.Errorf("status %d, %q\nmine: %s\ntheirs: %s", status, plain.text(".problem"), mine, theirs)
	}
	if text := w.agree(w.english, other); !strings.Contains(text, "Meanwhile.") || strings.Contains(text, "My own words.") {
		w.t.Errorf("after the refusal the text is %q", text)
	}
	// Whoever sends it again has seen theirs.
	if status := plain.click(".markdown button"); status != http.StatusOK || plain.has(".problem") {
		w.t.Errorf("sent again: %d %s", status, plain.text(".problem"))
	}
	if text := w.agree(w.english, other); strings.Contains(text, "Meanwhile.") || !strings.Contains(text, "My own words.") {
		w.t.Errorf("after it was sent again the text is %q", text)
	}
}

// Command gallery shows every page of the public site with sample matter, for
// judging the looks without a database. From the repository's root, after
// `go run ./ui/build`:
//
//	go run ./ui/gallery                       serve on 127.0.0.1:8099
//	go run ./ui/gallery -shots DIR [-only RE] take pictures with Chromium
//
// A page's address is /LANG/NAME, such as /ar/story-wall.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"image"
	"image/png"
	"log"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"

	"masthead/internal/demo/picture"
	"masthead/internal/web"
	"masthead/ui"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8099", "address to serve on")
	shots := flag.String("shots", "", "take pictures into this folder and end")
	only := flag.String("only", "", "only shots whose name matches this expression")
	folder := flag.String("newsroom", "internal/demo/newsroom", "folder of the sample newsroom")
	flag.Parse()
	if err := run(*addr, *shots, *only, *folder); err != nil {
		fmt.Fprintln(os.Stderr, "gallery:", err)
		os.Exit(1)
	}
}

func run(addr, shots, only, folder string) error {
	assets, err := web.NewAssets(os.DirFS("ui/dist"), web.Theme{})
	if err != nil {
		return err
	}
	templates, err := ui.FS("ui")
	if err != nil {
		return err
	}
	renderer, err := web.NewRenderer(templates, assets, shots == "")
	if err != nil {
		return err
	}
	room, err := readRoom(folder)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle(web.AssetPath, assets)
	var drawn sync.Map // path → PNG
	mux.HandleFunc("GET /draw/{scene}/{seed}/{size}", func(w http.ResponseWriter, r *http.Request) {
		data, ok := drawn.Load(r.URL.Path)
		if !ok {
			fresh, err := drawScene(r)
			if err != nil {
				http.Error(w, err.Error(), http.StatusNotFound)
				return
			}
			drawn.Store(r.URL.Path, fresh)
			data = fresh
		}
		w.Header().Set("Content-Type", "image/png")
		w.Write(data.([]byte))
	})
	answer := &web.Answer{Renderer: renderer, Log: newLog()}
	names := []string{}
	for _, lang := range []string{"en", "ar", "he", "ru", "fr"} {
		for name, sample := range room.samples(lang) {
			path := "/" + lang + "/" + name
			names = append(names, path)
			mux.Handle("GET "+path, answer.Page(func(w http.ResponseWriter, r *http.Request) error {
				if strings.HasPrefix(sample.template, "letter/") {
					w.Header().Set("Content-Security-Policy", web.LetterCSP())
				}
				return renderer.Render(w, http.StatusOK, sample.template, sample.page)
			}))
		}
	}
	slices.Sort(names)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		for _, name := range names {
			fmt.Fprintf(w, "<p><a href=%q>%s</a></p>", name, name)
		}
	})
	handler, err := web.Shield(mux, web.ShieldOptions{Log: newLog(), CSP: web.CSP{Frames: []string{"https://www.youtube-nocookie.com"}}})
	if err != nil {
		return err
	}
	if shots != "" {
		addr = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ErrorLog: log.New(os.Stderr, "gallery: ", 0)}
	if shots == "" {
		fmt.Fprintln(os.Stderr, "gallery: http://"+listener.Addr().String())
		return server.Serve(listener)
	}
	go server.Serve(listener)
	defer server.Close()
	return takeShots("http://"+listener.Addr().String(), shots, only)
}

// drawScene makes the picture that a path names; one drawn at 900 pixels does
// for the larger sizes too.
func drawScene(r *http.Request) ([]byte, error) {
	seed, err := strconv.ParseUint(r.PathValue("seed"), 10, 64)
	if err != nil {
		return nil, err
	}
	wide, tall, _ := strings.Cut(strings.TrimSuffix(r.PathValue("size"), ".png"), "x")
	width, err := strconv.Atoi(wide)
	if err != nil {
		return nil, err
	}
	height, err := strconv.Atoi(tall)
	if err != nil {
		return nil, err
	}
	if width > 900 {
		width, height = 900, height*900/width
	}
	var img image.Image
	if r.PathValue("scene") == "portrait" {
		img = picture.Portrait(seed, width)
	} else if img, err = picture.Draw(r.PathValue("scene"), seed, width, height); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = png.Encode(&b, img)
	return b.Bytes(), err
}

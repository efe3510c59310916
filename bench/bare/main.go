// Command bare is what the benchmark compares with: net/http serving one
// compressed page from memory, and nothing else.
//
//	bare ADDR FILE.gz
package main

import (
	"log"
	"net/http"
	"os"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("bare: usage: bare ADDR FILE.gz")
	}
	body, err := os.ReadFile(os.Args[2])
	if err != nil {
		log.Fatal("bare: ", err)
	}
	log.Fatal("bare: ", http.ListenAndServe(os.Args[1], http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Encoding", "gzip")
		h.Set("Vary", "Accept-Encoding")
		h.Set("ETag", `"bare"`)
		w.Write(body)
	})))
}

// Command bare is what the benchmark compares with: net/http serving one
// compressed page from memory, and nothing else.
//
//	bare ADDR FILE.gz [CERT.pem KEY.pem]
//
// With a certificate it speaks TLS, and so HTTP/2.
package main

import (
	"log"
	"net/http"
	"os"
)

func main() {
	if len(os.Args) != 3 && len(os.Args) != 5 {
		log.Fatal("bare: usage: bare ADDR FILE.gz [CERT.pem KEY.pem]")
	}
	body, err := os.ReadFile(os.Args[2])
	if err != nil {
		log.Fatal("bare: ", err)
	}
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Encoding", "gzip")
		h.Set("Vary", "Accept-Encoding")
		h.Set("ETag", `"bare"`)
		w.Write(body)
	})
	if len(os.Args) == 5 {
		log.Fatal("bare: ", http.ListenAndServeTLS(os.Args[1], os.Args[3], os.Args[4], page))
	}
	log.Fatal("bare: ", http.ListenAndServe(os.Args[1], page))
}

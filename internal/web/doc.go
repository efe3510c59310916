// Package web is what every page and API answer goes through: handlers that
// return errors, one place that turns errors into pages, templates rendered
// to a buffer first, hashed assets, signed cookies, and the headers that keep
// a browser from harm.
//
//	answer := &web.Answer{Renderer: renderer, ErrorPage: site.ErrorPage, Log: log}
//	mux.Handle("GET /{$}", answer.Page(func(w http.ResponseWriter, r *http.Request) error {
//		page, err := front(r.Context())
//		if err != nil {
//			return err // fault.NotFound becomes the 404 page
//		}
//		return renderer.Render(w, http.StatusOK, "site/front", page)
//	}))
//	server.Handler = web.Shield(mux, web.ShieldOptions{Log: log})
package web

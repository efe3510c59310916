// Package site serves the public pages and the reader's account, one file per
// page. Each page is one struct, one handler and one template of the same
// name in ui/site; every struct embeds [Base].
package site

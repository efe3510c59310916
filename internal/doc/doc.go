// Package doc is the body of a story: a tree of nodes in the JSON form of
// ProseMirror, with a schema that is checked in Go.
//
// One tree has four writings, and reading a writing back gives the same tree:
//
//	JSON      Parse, Node.JSON          what is stored and what the editor speaks
//	HTML      FromHTML, Node.HTML       what is shown, and what importers bring
//	Markdown  FromMarkdown, Node.Markdown   the editor without JavaScript
//	text      FromText, Node.PlainText     lossless for paragraphs, readable for the rest
//
// Every reader ends in the normal form (see Normalize), so that two equal
// stories are equal bytes:
//
//	n, changes, err := doc.FromHTML(`<p onclick="x()">Hello, <b>world</b></p>`, doc.HTMLOptions{})
//	// changes names the attribute that was dropped
//	n.PlainText()                // Hello, world
//	n.HTML(doc.RenderOptions{})  // <p>Hello, <strong>world</strong></p>
//
// Nothing hostile survives the way in: HTML is sanitised and then mapped onto
// the schema, and the way out escapes every text and attribute and checks
// every address once more.
package doc

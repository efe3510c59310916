// Package app builds a newsroom once, from its settings: it is the only
// package that knows all the others.
package app

// Package demo seeds a newsroom of its own invention: The Sounding, a
// newspaper on the shores of the Velda Sea. Its words stand in newsroom/, and
// its pictures are drawn by package picture.
//
//	err := demo.Seed(ctx, demo.Newsroom{…})
package demo

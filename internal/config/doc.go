// Package config declares every setting once: its name, default, meaning and
// check. The command line's help, the manual and the annotated example file
// are generated from this one table.
//
// A setting is looked for as a flag (--url), then as a variable of the
// environment (MASTHEAD_URL), then in masthead.toml in the newsroom's folder
// (url = "…"), and has its default otherwise. Secrets are read from the
// environment or from a file that only its owner may read, never from a flag.
//
//	c, err := config.Load("newsroom", flags, os.LookupEnv)
package config

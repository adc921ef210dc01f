package config

import (
	"bytes"
	_ "embed"
)

// SchemaName is the name of the file with [Schema] that lies beside a config, and that the config's first line names.
const SchemaName = "gondola.schema.json"

// SchemaLine is the first line of every config that we write: editors that know it complete keys, explain them and mark mistakes while
// somebody types. It names a file and no address, because the machines that configs are written on need not reach any.
const SchemaLine = "# yaml-language-server: $schema=" + SchemaName

//go:embed gondola.schema.json
var schema []byte

// Schema returns the JSON Schema (draft 7) of the file. It is made from the config types, their checks and the comments of
// config.example.yaml, and refuses nothing that [Parse] takes, but for numbers and switches in quotes. What ties several values
// together, and ranges of durations and sizes, only Parse knows.
func Schema() []byte { return bytes.Clone(schema) }

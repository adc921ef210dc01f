package config

import (
	"fmt"
	"reflect"
)

// Reference is where a secret of the config is to be found: whoever sets up a service has to make it reachable for it. It never holds
// the secret.
type Reference struct {
	Path   string // in the config, such as sftp.password
	Scheme string // env, file or systemd; "" for a secret that stands in the config itself
	Name   string // the variable, the file's absolute path, the credential; "" for one in the config
}

// Readable returns why the secret can't be read here, nil where it can. One that stands in the config always can.
func (r Reference) Readable() error {
	if r.Scheme == "" {
		return nil
	}
	_, err := Secret{func() reference { return reference{scheme: r.Scheme, text: r.Name} }}.Value()
	return err
}

// References lists where the secrets of the config are to be found, in the order of its keys. Secrets that are not set are left out.
func (c *Config) References() []Reference {
	var all []Reference
	references(reflect.ValueOf(c).Elem(), "", &all)
	return all
}

func references(v reflect.Value, path string, all *[]Reference) {
	switch {
	case v.Type() == reflect.TypeFor[Secret]():
		if s := v.Interface().(Secret); s.IsSet() {
			r := Reference{Path: path, Scheme: s.ref().scheme}
			if r.Scheme != "" {
				r.Name = s.ref().text
			}
			*all = append(*all, r)
		}
	case v.Kind() == reflect.Struct:
		for field, value := range v.Fields() {
			key := field.Tag.Get("yaml")
			if key == "" || key == "-" {
				continue
			}
			if path != "" {
				key = path + "." + key
			}
			references(value, key, all)
		}
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			references(v.Index(i), fmt.Sprintf("%s[%d]", path, i), all)
		}
	}
}

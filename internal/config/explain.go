package config

import (
	"reflect"
	"strings"
	"time"

	"github.com/knadh/koanf/maps"
	"github.com/knadh/koanf/parsers/yaml"
)

// flags are the keys that a flag of some command sets.
var flags = map[string]string{
	"data_dir": "data-dir", "database_url": "database-url", "graph_url": "graph-url", "llm_url": "llm-url", "log.format": "log-format", "log.level": "log-level",
	"log.file": "log-file", "progress": "no-progress", "server.listen": "listen", "server.auth": "auth",
}

// FlagOf is the flag of a key, without its dashes; "" where there is none. --no-progress says that progress is false.
func FlagOf(key string) string { return flags[key] }

// Flags maps each flag that takes a value to its key.
func Flags() map[string]string {
	out := make(map[string]string, len(flags))
	for key, flag := range flags {
		if fields[key].Kind() != reflect.Bool {
			out[flag] = key
		}
	}
	return out
}

// Setting is a key with its value, as text, and the place where it was set: a file, a variable or a flag, "" is the
// default. A secret's value is ***.
type Setting struct{ Key, Value, From string }

// Explain is Load for who wants to know where values come from; it judges nothing (Config.Mistakes does). The settings
// are all keys in the order of the alphabet. A file that cannot be read and an unknown key are errors as in Load.
func Explain(src Sources) (Config, []Setting, error) {
	cfg, l, err := merge(src)
	if err != nil {
		return Config{}, nil, err
	}
	settings := make([]Setting, 0, len(fields))
	for _, key := range keys() {
		settings = append(settings, Setting{Key: key, Value: text(cfg.field(key)), From: l.from[key]})
	}
	return cfg, settings, nil
}

// field is the value of a key.
func (c Config) field(key string) reflect.Value {
	v := reflect.ValueOf(c)
	for name := range strings.SplitSeq(key, ".") {
		v = v.Field(fieldNamed(v.Type(), name))
	}
	return v
}

func fieldNamed(t reflect.Type, name string) int {
	for i := range t.NumField() {
		if t.Field(i).Tag.Get("koanf") == name {
			return i
		}
	}
	return -1 // fieldsOf made the keys of these tags
}

// text is a value as the environment takes it.
func text(v reflect.Value) string {
	switch value := plain(v).(type) {
	case []string:
		return strings.Join(value, ",")
	case string:
		return value
	default:
		return strings.TrimSpace(yamlOf(value))
	}
}

// plain is a value as YAML and JSON show it: times as "2h0m0s", secrets as ***.
func plain(v reflect.Value) any {
	switch value := v.Interface().(type) {
	case Secret:
		return value.String()
	case time.Duration:
		return value.String()
	default:
		return value
	}
}

// Document is the whole configuration as nested maps, for YAML and JSON; secrets are ***.
func (c Config) Document() map[string]any {
	flat := map[string]any{}
	for _, key := range keys() {
		flat[key] = plain(c.field(key))
	}
	return maps.Unflatten(flat, ".")
}

// YAML is the configuration as its file could have it, but for secrets, which are ***.
func (c Config) YAML() string {
	b, err := yaml.Parser().Marshal(c.Document())
	if err != nil {
		return "" // the document holds texts, numbers and lists only
	}
	return string(b)
}

func yamlOf(v any) string {
	b, err := yaml.Parser().Marshal(map[string]any{"v": v})
	if err != nil {
		return ""
	}
	return strings.TrimPrefix(string(b), "v:")
}

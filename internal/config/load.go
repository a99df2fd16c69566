package config

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/v2"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/machine"
)

// maxFileSize bounds configuration and environment files: what is larger is not one of ours.
const maxFileSize = 1 << 20

const envPrefix = "PATCHSCOUT_"

// Sources says where Load looks. The zero value reads nothing.
type Sources struct {
	File     string            // YAML file; it must exist when named. "" tries DefaultFile
	Environ  []string          // "KEY=value" as os.Environ has them
	EnvFile  string            // .env file; it must exist when named by PATCHSCOUT_ENV_FILE, "" tries ./.env
	Override map[string]string // flags that the user gave: key -> value
	Service  bool              // of a process that runs for long: its log tells what an operator wants tomorrow
}

// Load merges the sources over the defaults and validates the result. An unknown key or variable is fault.Invalid with
// the place and the nearest known spelling.
func Load(src Sources) (Config, error) {
	cfg, _, err := merge(src)
	if err != nil {
		return Config{}, err
	}
	return cfg, cfg.Validate()
}

// layers are the sources, laid over each other, with the place that each value comes from.
type layers struct {
	*koanf.Koanf
	from map[string]string
}

// merge reads all sources and judges nothing.
func merge(src Sources) (Config, *layers, error) {
	l := &layers{koanf.New("."), map[string]string{}}
	if err := l.loadFile(src.File); err != nil {
		return Config{}, l, err
	}
	if err := l.loadEnvironment(src); err != nil {
		return Config{}, l, err
	}
	for key, value := range src.Override {
		if err := l.set("--"+FlagOf(key), key, value); err != nil {
			return Config{}, l, err
		}
	}
	cfg := Default()
	if src.Service {
		cfg.Log.Level = "info"
	}
	if err := l.Unmarshal("", &cfg); err != nil {
		return Config{}, l, fault.Invalid("configuration: %s", oneLine(err))
	}
	return cfg, l, nil
}

// DefaultFile is read when no other file is named; it may be absent.
func DefaultFile() string {
	dir, err := os.UserConfigDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "patchscout", "config.yaml")
}

func (l *layers) loadFile(path string) error {
	named := path != ""
	if !named {
		path = DefaultFile()
	}
	text, err := readSmall(path, named)
	if err != nil || text == nil {
		return err
	}
	file := koanf.New(".")
	if err := file.Load(rawBytes(text), yaml.Parser()); err != nil {
		return fault.Invalid("configuration file %s: %s", path, oneLine(err))
	}
	for _, key := range file.Keys() {
		if _, ok := fields[key]; !ok {
			return fault.Invalid("configuration file %s: unknown key %q%s", path, key, suggest(key, keys()))
		}
		l.from[key] = path
	}
	return l.Merge(file)
}

// readSmall returns nil when an optional file is absent.
func readSmall(path string, required bool) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) && !required {
		return nil, nil
	}
	if err != nil {
		return nil, fault.Invalid("configuration file: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxFileSize {
		return nil, fault.Invalid("configuration file %s: want a regular file of at most 1 MiB", path)
	}
	return os.ReadFile(path)
}

// loadEnvironment lets real variables win over those of the .env file.
func (l *layers) loadEnvironment(src Sources) error {
	environ := map[string]string{}
	for _, entry := range src.Environ {
		if name, value, ok := strings.Cut(entry, "="); ok && strings.HasPrefix(name, envPrefix) {
			environ[name] = value
		}
	}
	path, named := src.EnvFile, src.EnvFile != ""
	if fromEnv := environ[envPrefix+"ENV_FILE"]; fromEnv != "" {
		path, named = fromEnv, true
	}
	if !named {
		path = ".env"
	}
	text, err := readSmall(path, named)
	if err != nil {
		return err
	}
	values, err := parseEnvFile(path, text)
	if err != nil {
		return err
	}
	if !named && text != nil {
		if err := trustFolder(path, values); err != nil {
			return err
		}
	}
	if err := l.setVariables(path+": ", values); err != nil {
		return err
	}
	return l.setVariables("", environ)
}

// trustFolder refuses what an .env that only happens to lie in the working folder must not do: that folder may be
// somebody else's, or unpacked from anywhere, and a program's path would be run (design decision 13).
func trustFolder(path string, values map[string]string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fault.Invalid("environment file: %w", err)
	}
	owner, mine, root := machine.Owner(path, info)
	world, err := machine.World(path, info)
	if err != nil {
		return fault.Invalid("environment file: %w", err)
	}
	if owner != "" && !mine && !root || world.Write {
		return fault.Denied("./.env belongs to or can be written by somebody else: name it with %sENV_FILE to use it", envPrefix)
	}
	for _, key := range fromAdministrator {
		if name := Variable(key); values[name] != "" {
			return fault.Denied("./.env: %s is only taken from the configuration file, the real environment, or a file named by %sENV_FILE", name, envPrefix)
		}
	}
	return nil
}

func (l *layers) setVariables(place string, values map[string]string) error {
	names := variables()
	for name, value := range values {
		if name == envPrefix+"ENV_FILE" || name == envPrefix+"CONFIG" {
			continue // read before anything else; CONFIG is the --config flag
		}
		key, ok := names[name]
		if !ok {
			return fault.Invalid("environment: unknown variable %s%s", name, suggest(name, slices.Sorted(mapKeys(names))))
		}
		if err := l.set(place+name, key, value); err != nil {
			return err
		}
	}
	return nil
}

// parseEnvFile reads KEY=value lines: # comments, blank lines, an optional "export ", matching quotes around a value.
// Variables of other programs (without our prefix) are left alone.
func parseEnvFile(path string, text []byte) (map[string]string, error) {
	values := map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, maxFileSize)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(strings.TrimPrefix(line, "export "), "=")
		if !ok {
			return nil, fault.Invalid("%s:%d: want NAME=value", path, n)
		}
		if name = strings.TrimSpace(name); strings.HasPrefix(name, envPrefix) {
			values[name] = unquote(strings.TrimSpace(value))
		}
	}
	return values, lines.Err()
}

func unquote(s string) string {
	if len(s) >= 2 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		return s[1 : len(s)-1]
	}
	return s
}

// set stores text under key in the type that the field has.
func (l *layers) set(place, key, value string) error {
	field, ok := fields[key]
	if !ok {
		return fault.Invalid("%s: unknown setting %q", place, key)
	}
	l.from[key] = place
	switch field.Kind() {
	case reflect.Bool:
		on, err := parseBool(value)
		if err != nil {
			return fault.Invalid("%s: %w", place, err)
		}
		return l.Set(key, on)
	case reflect.Slice:
		return l.Set(key, splitList(value))
	default:
		return l.Set(key, value)
	}
}

func parseBool(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "1", "true", "yes", "on":
		return true, nil
	case "0", "false", "no", "off", "":
		return false, nil
	}
	return false, fmt.Errorf("%q: want true or false", s)
}

func splitList(s string) []string {
	var out []string
	for _, part := range strings.Split(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// rawBytes is koanf's provider for text that is already in memory.
type rawBytes []byte

func (r rawBytes) ReadBytes() ([]byte, error)    { return r, nil }
func (r rawBytes) Read() (map[string]any, error) { return nil, errors.New("raw bytes need a parser") }

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

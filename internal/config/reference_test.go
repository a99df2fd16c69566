package config

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"reflect"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/configuration.md anew")

const (
	referenceFile  = "../../docs/configuration.md"
	referenceBegin = "<!-- generated from internal/config: go test ./internal/config -run Reference -update -->\n"
	referenceEnd   = "<!-- end of what is generated -->\n"
)

// The reference is made of the fields of Config and their comments, so a new key is in it or this fails.
func TestReferenceIsComplete(t *testing.T) {
	page, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(page), referenceBegin)
	_, after, ends := strings.Cut(rest, referenceEnd)
	if !begins || !ends {
		t.Fatalf("%s lacks the lines between which the reference stands", referenceFile)
	}
	want := before + referenceBegin + reference(t) + referenceEnd + after
	if *update {
		if err := os.WriteFile(referenceFile, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(page) {
		t.Errorf("%s is stale: go test ./internal/config -run Reference -update", referenceFile)
	}
}

// reference is one table for each part of the file.
func reference(t *testing.T) string {
	words := comments(t)
	var b strings.Builder
	table := func(title, about string, rows []string) {
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n| key | type | default | variable, flag | what it is |\n|---|---|---|---|---|\n%s\n",
			title, about, strings.Join(rows, "\n"))
	}
	var top []string
	config := reflect.TypeFor[Config]()
	for i := range config.NumField() {
		if f := config.Field(i); f.Type.Kind() != reflect.Struct {
			top = append(top, row(t, words, config, f, ""))
		}
	}
	table("General", "Where data is.", top)
	for i := range config.NumField() {
		if f := config.Field(i); f.Type.Kind() == reflect.Struct {
			name := f.Tag.Get("koanf")
			table("`"+name+"`", words[f.Type.Name()], rows(t, words, f.Type, name+"."))
		}
	}
	return strings.TrimPrefix(b.String(), "\n")
}

func rows(t *testing.T, words map[string]string, in reflect.Type, prefix string) (out []string) {
	for i := range in.NumField() {
		f := in.Field(i)
		if f.Type.Kind() == reflect.Struct {
			out = append(out, rows(t, words, f.Type, prefix+f.Tag.Get("koanf")+".")...)
			continue
		}
		out = append(out, row(t, words, in, f, prefix))
	}
	return out
}

func row(t *testing.T, words map[string]string, in reflect.Type, f reflect.StructField, prefix string) string {
	key := prefix + f.Tag.Get("koanf")
	meaning := words[in.Name()+"."+f.Name]
	if meaning == "" {
		t.Errorf("%s.%s has no comment: say what %s is", in.Name(), f.Name, key)
	}
	variable := "`" + Variable(key) + "`"
	if name := FlagOf(key); name != "" {
		variable += ", `--" + name + "`"
	}
	standard := text(Default().field(key))
	if key == "data_dir" {
		standard = "the XDG data folder"
	} else if standard != "" {
		standard = "`" + strings.ReplaceAll(standard, ",", ", ") + "`"
	}
	return fmt.Sprintf("| `%s` | %s | %s | %s | %s |", key, typeName(f.Type), standard, variable, strings.ReplaceAll(meaning, "|", "\\|"))
}

func typeName(t reflect.Type) string {
	switch t.String() {
	case "config.Secret":
		return "secret"
	case "time.Duration":
		return "time"
	case "[]string":
		return "list"
	case "string":
		return "text"
	case "bool":
		return "true or false"
	}
	return "number"
}

// comments maps Type to what its comment says after the name, and Type.Field to the comment beside the field.
func comments(t *testing.T) map[string]string {
	notTests := func(f fs.FileInfo) bool { return !strings.HasSuffix(f.Name(), "_test.go") }
	packages, err := parser.ParseDir(token.NewFileSet(), ".", notTests, parser.ParseComments) //nolint:staticcheck // the files of one folder, whatever the build tags
	if err != nil {
		t.Fatal(err)
	}
	words := map[string]string{}
	ast.Inspect(packages["config"], func(n ast.Node) bool {
		decl, ok := n.(*ast.GenDecl)
		if !ok || decl.Tok != token.TYPE {
			return true
		}
		for _, spec := range decl.Specs {
			s := spec.(*ast.TypeSpec)
			words[s.Name.Name] = sentence(decl.Doc)
			if structure, ok := s.Type.(*ast.StructType); ok {
				for _, f := range structure.Fields.List {
					if len(f.Names) == 0 {
						continue
					}
					words[s.Name.Name+"."+f.Names[0].Name] = strings.ReplaceAll(sentence(f.Comment), `""`, "nothing")
				}
			}
		}
		return true
	})
	return words
}

func sentence(c *ast.CommentGroup) string { return strings.Join(strings.Fields(c.Text()), " ") }

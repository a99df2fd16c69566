package api

import (
	"errors"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// places says where the fields of a request are, as mistakes name them: network is body.network, ports body.config.ports.
type places map[string]string

// placesOf reads an operation's input, what is further out first.
func placesOf(input reflect.Type) places {
	p := places{}
	p.parameters(input)
	return p
}

func (p places) parameters(input reflect.Type) {
	if input.Kind() != reflect.Struct {
		return
	}
	for i := range input.NumField() {
		field := input.Field(i)
		if field.Anonymous {
			p.parameters(field.Type)
			continue
		}
		for _, in := range []string{"path", "query", "header"} {
			if name, _, _ := strings.Cut(field.Tag.Get(in), ","); name != "" {
				p.add(name, in+"."+name)
			}
		}
		if field.Name == "Body" {
			p.body("body", field.Type)
		}
	}
}

func (p places) body(path string, at reflect.Type) {
	if at.Kind() == reflect.Pointer {
		at = at.Elem()
	}
	if at.Kind() != reflect.Struct || at == reflect.TypeFor[time.Time]() {
		return
	}
	type inner struct {
		path string
		at   reflect.Type
	}
	var within []inner
	for i := range at.NumField() {
		field := at.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case field.Anonymous && name == "":
			p.body(path, field.Type)
		case field.IsExported() && name != "" && name != "-":
			p.add(name, path+"."+name)
			within = append(within, inner{path + "." + name, field.Type})
		}
	}
	for _, next := range within {
		p.body(next.path, next.at)
	}
}

func (p places) add(name, place string) {
	if p[name] == "" {
		p[name] = place
	}
}

// mark says of mistakes that only have a name where it is.
func (p places) mark(err error) error {
	var problem *huma.ErrorModel
	if !errors.As(err, &problem) {
		return err
	}
	for _, detail := range problem.Errors {
		if place := p[detail.Location]; place != "" {
			detail.Location = place
		}
	}
	return err
}

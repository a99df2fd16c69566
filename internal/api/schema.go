package api

import (
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patchscout/patchscout/internal/report"
)

// absentText is report.Text in the document: null when it is absent.
type absentText string

// Schema implements huma.SchemaProvider.
func (absentText) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Nullable: true}
}

// absentDay is report.Date in the document.
type absentDay string

// Schema implements huma.SchemaProvider.
func (absentDay) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date", Nullable: true}
}

// aliases tell the document what Go's types alone do not: which texts and days are null when they are absent.
func aliases(r huma.Registry) {
	r.RegisterTypeAlias(reflect.TypeFor[report.Text](), reflect.TypeFor[absentText]())
	r.RegisterTypeAlias(reflect.TypeFor[report.Date](), reflect.TypeFor[absentDay]())
}

// nullable finds the fields that are a pointer to a struct and always written, so null when it is nil, and says so: huma
// knows null of numbers and texts only. Of those it forgets that null is one of a few words, too.
func nullable(r huma.Registry) {
	for name, schema := range r.Map() {
		t := r.TypeFromRef(refPrefix + name)
		if t == nil || t.Kind() != reflect.Struct {
			continue
		}
		for _, f := range reflect.VisibleFields(t) {
			name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			property := schema.Properties[name]
			if property != nil && property.Nullable && property.Type == "" { // null is one of several types
				property.Nullable, property.OneOf = false, append(property.OneOf, &huma.Schema{Type: "null"})
			}
			if property != nil && property.Nullable && len(property.Enum) > 0 {
				property.Enum = append(property.Enum, nil)
			}
			if f.Type.Kind() == reflect.Pointer && property != nil && property.Ref != "" && !strings.Contains(options, "omit") {
				*property = huma.Schema{Description: property.Description, AnyOf: []*huma.Schema{{Ref: property.Ref}, {Type: "null"}}}
			}
		}
	}
}

// refPrefix is where huma's registry keeps the schemas of structs.
const refPrefix = "#/components/schemas/"

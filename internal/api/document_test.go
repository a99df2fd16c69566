package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patchscout/patchscout/internal/api"
	"github.com/patchscout/patchscout/internal/api/apitest"
)

// operations calls fn for every operation of the document.
func operations(doc *huma.OpenAPI, fn func(name string, op *huma.Operation)) {
	for path, item := range doc.Paths {
		for method, op := range map[string]*huma.Operation{"GET": item.Get, "PUT": item.Put, "POST": item.Post, "PATCH": item.Patch, "DELETE": item.Delete} {
			if op != nil {
				fn(method+" "+path, op)
			}
		}
	}
}

func TestEveryOperationIsDescribedAndHasExamples(t *testing.T) {
	doc := api.New(api.Options{Version: "test"}).OpenAPI()
	schemas := apitest.Schemas(t, doc)
	ids := map[string]string{}
	operations(doc, func(name string, op *huma.Operation) {
		if other := ids[op.OperationID]; other != "" {
			t.Errorf("%s and %s are both called %s", name, other, op.OperationID)
		}
		ids[op.OperationID] = name
		if op.Summary == "" || len(op.Tags) != 1 {
			t.Errorf("%s has no summary or tag", name)
		}
		for _, p := range op.Parameters {
			if p.In != "cookie" && p.Example == nil && len(p.Examples) == 0 && (p.Schema == nil || len(p.Schema.Examples) == 0) {
				t.Errorf("%s: parameter %s has no example", name, p.Name)
			}
		}
		if op.RequestBody != nil {
			examples(t, schemas, name+" in", op.RequestBody.Content)
		}
		for status, response := range op.Responses {
			if strings.HasPrefix(status, "2") {
				examples(t, schemas, name+" "+status, response.Content)
			}
		}
	})
	if len(ids) < 20 {
		t.Errorf("only %d operations", len(ids))
	}
}

// examples checks that there is one of every body and that it is what the schema says.
func examples(t *testing.T, schemas *apitest.Document, name string, content map[string]*huma.MediaType) {
	t.Helper()
	for kind, body := range content {
		if body.Example == nil {
			t.Errorf("%s: %s has no example", name, kind)
			continue
		}
		if body.Schema == nil || !strings.HasSuffix(kind, "json") || body.Schema.Format == "binary" {
			continue
		}
		text, err := json.Marshal(body.Example)
		if err != nil {
			t.Fatal(err)
		}
		for _, problem := range schemas.Check(body.Schema, text) {
			t.Errorf("%s: example: %s", name, problem)
		}
	}
}

func TestNoAnswerIsLeftUntyped(t *testing.T) {
	doc := api.New(api.Options{}).OpenAPI()
	for name, schema := range doc.Components.Schemas.Map() {
		if name == "ErrorDetail" {
			continue // huma's, whose value is what was sent
		}
		for field, property := range schema.Properties {
			if name+"."+field == "Job.result" {
				continue // each kind of job has its own
			}
			if property.Type == "" && property.Ref == "" && len(property.AnyOf)+len(property.OneOf) == 0 {
				t.Errorf("%s.%s may be anything", name, field)
			}
			if property.Type == huma.TypeObject && property.Ref == "" && len(property.Properties) == 0 && property.AdditionalProperties == nil {
				t.Errorf("%s.%s has no fields", name, field)
			}
		}
	}
}

func TestEveryJSONAnswerHasAType(t *testing.T) {
	operations(api.New(api.Options{}).OpenAPI(), func(name string, op *huma.Operation) {
		for status, response := range op.Responses {
			if media := response.Content["application/json"]; media != nil && media.Schema.Ref == "" && media.Schema.Type == "" && len(media.Schema.OneOf) == 0 {
				t.Errorf("%s %s may be anything", name, status)
			}
		}
	})
}

// Generators of clients stop at a type that there is not.
func TestEveryTypeIsOneOfJSON(t *testing.T) {
	text, err := json.Marshal(api.New(api.Options{}).OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{`"type":""`, `"type":["",`} {
		if at := strings.Index(string(text), bad); at >= 0 {
			t.Errorf("%.400s", text[max(0, at-300):])
		}
	}
}

func TestTheDocumentIsTheSameEachTime(t *testing.T) {
	text := func() string {
		b, err := json.Marshal(api.New(api.Options{}).OpenAPI())
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if first, second := text(), text(); first != second {
		at := 0
		for at < min(len(first), len(second)) && first[at] == second[at] {
			at++
		}
		t.Error("differs at " + fmt.Sprintf("%.200s", first[max(0, at-100):]))
	}
}

package api

import (
	"reflect"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patchscout/patchscout/internal/fault"
)

func TestAMistakeIsNamedWithItsPlace(t *testing.T) {
	p := placesOf(reflect.TypeFor[initiateInput]())
	for name, want := range map[string]string{"target_url": "body.target_url", "ports": "body.config.ports", "site": "body.config.site"} {
		if p[name] != want {
			t.Errorf("%s is at %q, want %q", name, p[name], want)
		}
	}
	s := &Server{}
	err := p.mark(s.problem(t.Context(), fault.At("ports", fault.Invalid("ports 0: want 1 to 65535"))))
	problem, ok := err.(*huma.ErrorModel) //nolint:errorlint // as it is
	if !ok || problem.Detail != "ports 0: want 1 to 65535" || len(problem.Errors) != 1 || problem.Errors[0].Location != "body.config.ports" {
		t.Errorf("%+v", err)
	}
}

func TestACommandInATextStaysOne(t *testing.T) {
	for text, want := range map[string]string{
		"use --min-cvss": "use min_cvss",
		"--feed kev: load it with patchscout feeds sync --feed kev": "feed kev: load it with patchscout feeds sync --feed kev",
	} {
		if got := said(text); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

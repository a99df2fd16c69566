package api

import (
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// complete finishes the document when all operations are in it: what may be null, and an example of every body.
func (s *Server) complete() {
	doc := s.api.OpenAPI()
	nullable(doc.Components.Schemas)
	s.secrets = secretive(doc)
	e := examples{doc.Components.Schemas}
	for _, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Put, item.Post, item.Delete, item.Patch} {
			if op != nil {
				e.operation(op)
			}
		}
	}
}

// examples makes examples from schemas: a field's own, or one that its name suggests.
type examples struct{ registry huma.Registry }

func (e examples) operation(op *huma.Operation) {
	for _, p := range op.Parameters {
		if p.Example == nil && p.Schema != nil && len(p.Schema.Examples) == 0 {
			p.Example = e.of(p.Schema, p.Name, nil)
		}
	}
	if op.RequestBody != nil {
		e.bodies(op.RequestBody.Content)
	}
	for status, response := range op.Responses {
		if strings.HasPrefix(status, "2") {
			e.bodies(response.Content)
		} else if p := response.Content["application/problem+json"]; p != nil && p.Example == nil {
			p.Example = map[string]any{"title": http.StatusText(statusOf(status)), "status": statusOf(status), "detail": "what is wrong, in one sentence"}
		}
	}
}

func statusOf(text string) int {
	n := 0
	for _, c := range text {
		n = n*10 + int(c-'0')
	}
	return n
}

func (e examples) bodies(content map[string]*huma.MediaType) {
	for kind, body := range content {
		switch {
		case body.Example != nil || len(body.Examples) > 0:
		case body.Schema != nil && strings.HasSuffix(kind, "json"):
			body.Example = e.of(body.Schema, "", nil)
		default:
			body.Example = "a file of this type"
		}
	}
}

// of is an example of a schema that is the field of a name; within are the structs around it, to end circles.
func (e examples) of(s *huma.Schema, name string, within []string) any {
	if len(s.Examples) > 0 {
		return s.Examples[0]
	}
	switch {
	case s.Ref != "":
		if slices.Contains(within, s.Ref) {
			return map[string]any{}
		}
		return e.of(e.registry.SchemaFromRef(s.Ref), name, append(slices.Clone(within), s.Ref))
	case len(s.AnyOf) > 0:
		if slices.Contains(within, s.AnyOf[0].Ref) {
			return nil
		}
		return e.of(s.AnyOf[0], name, within)
	case len(s.OneOf) > 0:
		return e.of(s.OneOf[0], name, within)
	case len(s.Enum) > 0:
		return s.Enum[0]
	}
	return e.byType(s, name, within)
}

func (e examples) byType(s *huma.Schema, name string, within []string) any {
	switch s.Type {
	case huma.TypeObject:
		return e.object(s, within)
	case huma.TypeArray:
		if s.Items.Ref != "" && slices.Contains(within, s.Items.Ref) {
			return []any{}
		}
		return []any{e.of(s.Items, name, within)}
	case huma.TypeBoolean:
		return false
	case huma.TypeInteger:
		return wholeExample(s, name)
	case huma.TypeNumber:
		return numberExample(name)
	case huma.TypeString:
		return textExample(s, name)
	}
	return nil
}

func (e examples) object(s *huma.Schema, within []string) any {
	out := map[string]any{}
	for name, property := range s.Properties {
		out[name] = e.of(property, name, within)
	}
	if of, ok := s.AdditionalProperties.(*huma.Schema); ok {
		out["high"] = e.of(of, "", within)
	}
	return out
}

func wholeExample(s *huma.Schema, name string) any {
	known := map[string]int{"id": 17, "scan_id": 42, "host_id": 5, "port": 22, "confidence": 95, "percent": 40, "total": 1, "limit": 100, "skip": 0}
	n, found := known[name]
	if !found {
		n = 1
	}
	if s.Minimum != nil {
		n = max(n, int(*s.Minimum))
	}
	if s.Maximum != nil {
		n = min(n, int(*s.Maximum))
	}
	return n
}

func numberExample(name string) any {
	known := map[string]float64{"cvss": 8.1, "score": 8.1, "epss": 0.43, "epss_percentile": 0.97, "likelihood": 0.43, "priority_score": 0.824,
		"percent": 40, "progress": 40, "age_hours": 6.5, "min_cvss": 7, "min_epss": 0.1}
	if n, found := known[name]; found {
		return n
	}
	return 0.5
}

// texts are examples of fields by their names: true things of one finding, so that the examples read as one story.
var texts = map[string]string{
	"cve": "CVE-2024-6387", "site": "default", "host": "192.168.1.20", "address": "192.168.1.20", "addresses": "192.168.1.20",
	"hostnames": "files.example.org", "target": "192.168.1.0/24", "targets": "192.168.1.0/24", "protocol": "tcp", "service": "ssh",
	"product": "openssh", "vendor": "openbsd", "version": "9.6p1", "cpe": "cpe:2.3:a:openbsd:openssh:9.6:p1:*:*:*:*:*:*",
	"cpes": "cpe:2.3:a:openbsd:openssh:9.6:p1:*:*:*:*:*:*", "title": "OpenSSH: signal handler race condition",
	"remedy": "upgrade to 9.8 or later", "remedy_key": "upgrade:openbsd:openssh", "fixed_in": "9.8", "severity": "high", "cvss_version": "3.1",
	"cvss_source": "nvd", "severity_by": "nvd", "severity_source": "nvd", "cvss_vector": "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H",
	"vector": "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H", "decision": "attend", "decision_assumed": "technical_impact",
	"likelihood_source": "epss", "status": "completed", "state": "open", "triage": "none", "scanner": "native", "scanners": "native",
	"name": "native", "reason": "OpenSSH 9.6p1 is in the range >= 8.5, < 9.8", "output": "SSH-2.0-OpenSSH_9.6", "os": "Linux", "kind": "vulnerability",
	"cwes": "CWE-364", "owner": "web", "tags": "dmz", "labels": "ssh", "assignee": "anna", "by": "anna", "criticality": "high", "what": "triage",
	"from": "none", "to": "confirmed", "note": "seen by hand", "stage": "nmap: services", "tool": "nmap", "file": "scan.xml", "action": "upgrade OpenSSH to 9.8",
	"key": "upgrade:openbsd:openssh", "network": "10.0.0.0/8", "why": "private", "text": "It is exploited over the network without a login.", "topic": "attack",
	"fields": "cvss", "description": "A signal handler race condition was found in OpenSSH's server (sshd).", "source": "nvd", "feed": "kev",
	"role": "analyst", "sites": "default", "scopes": "findings:read", "login": "anna", "who": "anna", "outcome": "done", "versions": "< 9.8",
	"exploited_by": "ssvc", "level": "high", "score_missing": "recency", "provider": "nvd", "names": "files.example.org", "location": "body.site",
	"field": "cvss", "error": "the host did not answer", "format": "openvex", "message": "want a day as 2027-01-31",
	"notices": "This product uses the NVD API but is not endorsed or certified by the NVD.", "urls": "https://files.example.org/",
	"cursor": "AK76jMuiAqSADnJhbms6YXNj", "next": "AK76jMuiAqSADnJhbms6YXNj",
	"url": "https://nvd.nist.gov/vuln/detail/CVE-2024-6387", "about": "finding", "weaknesses": "CVE-2024-6387", "where": "CVE-2024-6387",
}

func textExample(s *huma.Schema, name string) any {
	switch s.Format {
	case "date-time":
		return "2026-11-20T08:30:00Z"
	case "date":
		return "2026-12-04"
	case "uri":
		return texts["url"]
	}
	text, found := texts[name]
	switch {
	case !found && s.Nullable:
		return nil
	case !found:
		return "text"
	case s.MaxLength != nil && len(text) > *s.MaxLength:
		return text[:*s.MaxLength]
	}
	return text
}

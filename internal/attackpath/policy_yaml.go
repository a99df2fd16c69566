package attackpath

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// yaml reads
//
//	rules:
//	  - {from: internet, to: "site:dmz", ports: [tcp/443], action: allow, note: shop}
//	same:
//	  - [dmz/192.0.2.7, office/10.0.3.7]
//	clients: [10.0.3.0/24]
//
// It walks the nodes itself, so that every error knows its line and no alias multiplies what little text says.
func (f *policyFile) yaml(data []byte) error {
	d := yaml.NewDecoder(bytes.NewReader(data))
	var root yaml.Node
	err := d.Decode(&root)
	switch {
	case errors.Is(err, io.EOF):
		return nil // an empty file declares nothing
	case err != nil:
		return f.wrong(0, "", "%s", yamlWords(err))
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return f.wrong(0, "", "more than one document")
	}
	top := root.Content[0]
	if top.Kind == yaml.ScalarNode && top.Tag == "!!null" {
		return nil
	}
	return f.mapping(top, "", []string{"rules", "same", "clients"}, func(key string, v *yaml.Node) error {
		switch key {
		case "rules":
			return f.each(v, key, f.yamlRule)
		case "same":
			return f.each(v, key, f.yamlSame)
		default:
			return f.each(v, key, f.yamlClient)
		}
	})
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// yamlWords says a reader's error as ours.
func yamlWords(err error) string {
	text := err.Error()
	m := yamlLine.FindStringSubmatch(text)
	if m == nil {
		return text
	}
	if text = text[len(m[0]):]; m[1] != "" {
		return "line " + m[1] + ": " + text
	}
	return text
}

func (f *policyFile) mapping(n *yaml.Node, field string, keys []string, do func(key string, v *yaml.Node) error) error {
	if n.Kind != yaml.MappingNode {
		return f.wrong(n.Line, strings.TrimSuffix(field, "."), "want %s", strings.Join(keys, ", "))
	}
	var seen []string
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		switch {
		case k.Kind != yaml.ScalarNode || !slices.Contains(keys, k.Value):
			return f.wrong(k.Line, strings.TrimSuffix(field, "."), "unknown key %q: want %s", clip(k.Value), strings.Join(keys, ", "))
		case slices.Contains(seen, k.Value):
			return f.wrong(k.Line, field+k.Value, "is there twice")
		}
		seen = append(seen, k.Value)
		if err := do(k.Value, n.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}

func (f *policyFile) each(n *yaml.Node, field string, do func(field string, v *yaml.Node) error) error {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		return f.wrong(n.Line, field, "want a list")
	}
	for i, v := range n.Content {
		if err := do(fmt.Sprintf("%s[%d]", field, i), v); err != nil {
			return err
		}
	}
	return nil
}

func (f *policyFile) scalar(n *yaml.Node, field string) (string, error) {
	switch {
	case n.Kind == yaml.AliasNode:
		return "", f.wrong(n.Line, field, "aliases are not read: write it out")
	case n.Kind != yaml.ScalarNode || n.Tag == "!!null":
		return "", f.wrong(n.Line, field, "want text")
	}
	return n.Value, nil
}

func (f *policyFile) yamlRule(field string, n *yaml.Node) error {
	rule := map[string]placed{}
	for _, k := range []string{"from", "to", "action"} {
		rule[k] = placed{line: n.Line}
	}
	err := f.mapping(n, field+".", []string{"from", "to", "ports", "action", "note"}, func(key string, v *yaml.Node) error {
		p := placed{line: v.Line}
		if key == "ports" && v.Kind == yaml.SequenceNode {
			err := f.each(v, field+".ports", func(field string, v *yaml.Node) error {
				text, err := f.scalar(v, field)
				p.list = append(p.list, text)
				return err
			})
			rule[key] = p
			return err
		}
		text, err := f.scalar(v, field+"."+key)
		p.text = text
		if key == "ports" {
			p.list = portFields(text)
		}
		rule[key] = p
		return err
	})
	if err != nil {
		return err
	}
	return f.addRule(field+".", rule)
}

func (f *policyFile) yamlSame(field string, n *yaml.Node) error {
	var group []HostRef
	err := f.each(n, field, func(field string, v *yaml.Node) error {
		text, err := f.scalar(v, field)
		if err != nil {
			return err
		}
		ref, err := parseHostRef(text)
		if err != nil {
			return f.wrong(v.Line, field, "%w", err)
		}
		group = append(group, ref)
		return nil
	})
	if err != nil {
		return err
	}
	if len(group) < 2 {
		return f.wrong(n.Line, field, "want two hosts or more that are one machine")
	}
	f.set.Same = append(f.set.Same, group)
	if f.hosts += len(group); f.hosts > maxPolicyHosts {
		return f.wrong(n.Line, field, "more than %d hosts", maxPolicyHosts)
	}
	return nil
}

func (f *policyFile) yamlClient(field string, n *yaml.Node) error {
	text, err := f.scalar(n, field)
	if err != nil {
		return err
	}
	network, err := parseNetwork(strings.TrimSpace(text))
	if err != nil {
		return f.wrong(n.Line, field, "%w", err)
	}
	if f.set.Clients = append(f.set.Clients, network); len(f.set.Clients) > maxPolicyHosts {
		return f.wrong(n.Line, field, "more than %d networks", maxPolicyHosts)
	}
	return nil
}

// portFields cuts ports in one text.
func portFields(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' || r == ';' || r == '\t' })
}

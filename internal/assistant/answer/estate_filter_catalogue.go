package answer

import (
	"context"
)

// catalogue are the conditions that the catalogue answers, weakness by weakness.
func (c *chosen) catalogue(q *Asked) {
	switch len(q.CVEs) {
	case 0:
	case 1:
		c.req.Weakness = q.CVEs[0].String()
		c.behind = append(c.behind, "of "+c.req.Weakness)
	default:
		var names []string
		for _, id := range q.CVEs {
			names = append(names, id.String())
		}
		c.req.Further.Weaknesses, c.exact = names, false
		c.behind = append(c.behind, "of "+or(names))
	}
	if len(q.Techniques) > 0 {
		c.about.Techniques, c.narrows = q.Techniques, true
		c.behind = append(c.behind, "that lead to "+or(q.Techniques))
	}
	if len(q.CWEs) > 0 {
		c.about.CWEs, c.narrows = q.CWEs, true
		c.behind = append(c.behind, "of kind "+or(q.CWEs))
	}
	if q.Exploit != "" {
		c.about.Exploit, c.narrows = q.Exploit, true
		c.behind = append(c.behind, map[string]string{"any": "with a public exploit", "none": "without a public exploit", "exploitdb": "with an exploit in Exploit-DB",
			"metasploit": "with a Metasploit module", "nuclei": "with a Nuclei template"}[q.Exploit])
	}
	if c.narrows {
		c.exact = false
	}
}

// exploitation are the conditions that need KEV to have been loaded: without it "none" would be a lie.
func (c *chosen) exploitation(ctx context.Context, q *Asked) (*trouble, error) {
	if q.KEV == nil && q.Exploited == nil && q.Ransomware == nil && q.TimeOf != "kev_added" {
		return nil, nil
	}
	if t, err := q.synced(ctx, "kev"); t != nil || err != nil {
		return t, err
	}
	say := func(b *bool, yes, no string) {
		switch {
		case b == nil:
		case *b:
			c.behind = append(c.behind, yes)
		default:
			c.behind, c.exact = append(c.behind, no), false
		}
	}
	c.req.KEV, c.req.Exploited = q.KEV, q.Exploited
	c.req.Findings.KEV, c.req.Findings.Exploited = q.KEV != nil && *q.KEV, q.Exploited != nil && *q.Exploited
	say(q.KEV, "that CISA lists as exploited", "that CISA does not list as exploited")
	if q.KEV == nil {
		say(q.Exploited, "that are known to be exploited", "of which no exploitation is known")
	}
	say(q.Ransomware, "used in ransomware campaigns", "not known from ransomware campaigns")
	if q.Ransomware != nil {
		c.about.Ransomware, c.narrows, c.exact = q.Ransomware, true, false
	}
	return nil, nil
}

// synced is trouble where a feed never ran.
func (q *Asked) synced(ctx context.Context, feed string) (*trouble, error) {
	status, err := q.Desk.FeedStatus(ctx)
	if err != nil {
		return nil, err
	}
	if status.Catalogue.Synced(feed) {
		return nil, nil
	}
	for _, f := range status.Feeds {
		if f.Feed == feed && f.Records > 0 {
			return nil, nil
		}
	}
	return &trouble{because: "the feed " + feed + " was never loaded, so that nobody can tell", instead: "Load it with: patchscout feeds sync " + feed + "."}, nil
}

package store

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/fault"
)

// SaveHostWords writes what people and rules say of a host: tags, owner, criticality and exposure; nothing else of it.
func (t *EstateTx) SaveHostWords(ctx context.Context, h *asset.Host) error {
	res, err := t.tx.Exec(ctx, `UPDATE host SET tags = ?, owner = ?, criticality = ?, exposed = ?, own = ? WHERE id = ?`,
		list(h.Tags), h.Owner, h.Criticality, truthOrNull(h.Exposed), hostOwnText(h.Own), h.ID)
	return oneRow(res, err, "there is no host %d", h.ID)
}

// SetExposed keeps a person's word on whether the internet reaches a host; nil takes it back and leaves it to the rules.
// The host's findings are to be settled anew. Whoever calls it has seen the host.
func (e *Estate) SetExposed(ctx context.Context, host int64, exposed *bool) error {
	return e.Update(ctx, func(tx *EstateTx) error {
		hosts, err := tx.HostsByID(ctx, []int64{host})
		if err != nil {
			return err
		}
		if len(hosts) == 0 {
			return fault.NotFound("there is no host %d", host)
		}
		rules, err := tx.Rules(ctx)
		if err != nil {
			return err
		}
		hosts[0].Own.Exposed = exposed
		rules.Hosts.Apply(hosts[0], tx.clock())
		return tx.SaveHostWords(ctx, hosts[0])
	})
}

func hostOwnText(o asset.Own) string {
	if len(o.Tags) == 0 && len(o.Without) == 0 && o.Owner == "" && o.Criticality == "" && o.Exposed == nil {
		return ""
	}
	b, _ := json.Marshal(o) // texts, lists of them and a truth always marshal
	return string(b)
}

func hostOwn(s string) (o asset.Own) {
	if s == "" {
		return o
	}
	_ = json.Unmarshal([]byte(s), &o) // as in unlist
	return o
}

// tagged is the LIKE pattern (escape \) for a list in lower case that holds a tag.
func tagged(tag string) string { return contains(strings.Trim(list([]string{tag}), "[]")) }

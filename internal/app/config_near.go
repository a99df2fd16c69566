package app

import (
	"context"

	"github.com/patchscout/patchscout/internal/assistant/embed"
)

// nearness tries what finds records by meaning. Who is not on this machine is not asked: that takes an administrator's word,
// which is in the database. Without it records are found by words.
func (c *configCheck) nearness(ctx context.Context) {
	if c.cfg.Assistant.ChromaURL.Reveal() != "" && !embeds(c.cfg) {
		c.warn("assistant.chroma_url: there are no embeddings to keep: assistant.embed_dir and assistant.embed_url are empty")
		return
	}
	if !embeds(c.cfg) {
		return
	}
	ctx, end := context.WithTimeout(ctx, 2*probePatience)
	defer end()
	door := (&App{parts: &parts{cfg: c.cfg}}).door
	key, raw := "assistant.embed_url", c.cfg.Assistant.EmbedURL.Reveal()
	if c.cfg.Assistant.EmbedDir != "" {
		key, raw = "assistant.embed_dir", ""
	}
	if c.elsewhere(key, raw) {
		return
	}
	model, err := newEmbedder(c.cfg, door)
	if err != nil {
		c.wrong("%s: %v", key, err)
		return
	}
	if local, ok := model.(*embed.ONNX); ok {
		defer local.Close() //nolint:errcheck // it only gives memory back
	}
	if _, err := model.Embed(ctx, []string{probeText}); err != nil {
		c.warn("%s: %v", key, err)
		return
	}
	if raw = c.cfg.Assistant.ChromaURL.Reveal(); raw == "" || c.elsewhere("assistant.chroma_url", raw) {
		return
	}
	chroma, err := newChroma(c.cfg, door, "patchscout-check", model.Dimensions())
	if err != nil {
		c.wrong("assistant.chroma_url: %v", err)
		return
	}
	if err := chroma.Ping(ctx); err != nil {
		c.warn("assistant.chroma_url: %v", err)
	}
}

func (c *configCheck) elsewhere(key, raw string) bool {
	if raw == "" || loopback(raw) {
		return false
	}
	c.warn("%s: %s is not on this machine: it is used once an administrator accepted that (patchscout ask peers)", key, withoutSecrets(raw))
	return true
}

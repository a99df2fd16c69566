package config

import "time"

// Assistant is what answers questions, beside the language model (llm_url, llm_model, llm_key).
type Assistant struct {
	LLMTimeout  time.Duration `koanf:"llm_timeout"`  // for a whole answer
	LLMTokens   int           `koanf:"llm_tokens"`   // that one answer may take, question and records included
	EmbedDir    string        `koanf:"embed_dir"`    // folder with an ONNX model for embeddings (model.onnx, tokenizer.json); "" is none
	EmbedURL    Secret        `koanf:"embed_url"`    // OpenAI-compatible or Hugging Face address of embeddings, where embed_dir is empty; "" is none
	EmbedModel  string        `koanf:"embed_model"`  // its name there
	EmbedKey    Secret        `koanf:"embed_key"`    // sent as Bearer; "" is none
	ChromaURL   Secret        `koanf:"chroma_url"`   // ChromaDB that keeps the embeddings, instead of this program; "" is none
	ChromaToken Secret        `koanf:"chroma_token"` // sent to it as x-chroma-token; "" is none
	KeepDays    int           `koanf:"keep_days"`    // conversations are removed so long after their last question
}

func defaultAssistant() Assistant {
	return Assistant{LLMTimeout: 60 * time.Second, LLMTokens: 8000, KeepDays: 180}
}

package main

import "github.com/patchscout/patchscout/internal/explain"

func Shape(in explain.Input, e explain.Explanation) []string { return nil }
func Check(in explain.Input, s explain.Sentence) []string { return nil }

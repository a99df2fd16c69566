package understand

// grammarWords are the words that the grammar knows.
var grammarWords = table(func() *wordIndex {
	x := newWordIndex(0)
	x.done()
	return x
})

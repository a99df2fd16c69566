package store

// LimitChats bounds conversations of an owner and messages of one, until what it returns is called.
func LimitChats(sessions, messages int) func() {
	oldSessions, oldMessages := maxChatSessions, maxChatMessages
	maxChatSessions, maxChatMessages = sessions, messages
	return func() { maxChatSessions, maxChatMessages = oldSessions, oldMessages }
}

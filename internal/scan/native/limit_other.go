//go:build !unix

package native

// openFiles returns how many sockets a process may count on where there is no such limit to ask for.
func openFiles() int { return 2048 }

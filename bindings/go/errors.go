package p2pmap

// #include "glue.h"
import "C"

import "strings"

// Code says what kind of error it is: one of a fixed list, with the same numbers in every language. Each says what state the
// call left behind.
type Code int32

// The codes, each beside the variable that [errors.Is] matches.
const (
	CodeInvalidArgument Code = C.P2PMAP_INVALID_ARGUMENT // ErrInvalidArgument
	CodeInvalidConfig   Code = C.P2PMAP_INVALID_CONFIG   // ErrInvalidConfig
	CodeInvalidValue    Code = C.P2PMAP_INVALID_VALUE    // ErrInvalidValue
	CodeTooLarge        Code = C.P2PMAP_TOO_LARGE        // ErrTooLarge
	CodeClosed          Code = C.P2PMAP_CLOSED           // ErrClosed
	CodeLocked          Code = C.P2PMAP_LOCKED           // ErrLocked
	CodeStorage         Code = C.P2PMAP_STORAGE          // ErrStorage
	CodeCorrupted       Code = C.P2PMAP_CORRUPTED        // ErrCorrupted
	CodeNetwork         Code = C.P2PMAP_NETWORK          // ErrNetwork
	CodeAddressInUse    Code = C.P2PMAP_ADDRESS_IN_USE   // ErrAddressInUse
	CodeTimeout         Code = C.P2PMAP_TIMEOUT          // ErrTimeout
	CodeFull            Code = C.P2PMAP_FULL             // ErrFull
	CodeUnsupported     Code = C.P2PMAP_UNSUPPORTED      // ErrUnsupported
	CodeForked          Code = C.P2PMAP_FORKED           // ErrForked
	CodeNotPermitted    Code = C.P2PMAP_NOT_PERMITTED    // ErrNotPermitted
	CodeInternal        Code = C.P2PMAP_INTERNAL         // ErrInternal
)

// String is the name that every language shares, such as "TOO_LARGE".
func (c Code) String() string {
	return C.GoString(C.p2pmap_status_name(C.p2pmap_status(c)))
}

// What [errors.Is] matches.
var (
	// ErrInvalidArgument is an argument that no state could make valid. Nothing changed.
	ErrInvalidArgument error = kind(CodeInvalidArgument)
	// ErrInvalidConfig is an unknown option, or a value that the option does not allow. Nothing changed.
	ErrInvalidConfig error = kind(CodeInvalidConfig)
	// ErrInvalidValue means that the map's validator said no. Nothing changed.
	ErrInvalidValue error = kind(CodeInvalidValue)
	// ErrTooLarge is a key, value or batch over its limit. Nothing changed.
	ErrTooLarge error = kind(CodeTooLarge)
	// ErrClosed means that the node or map was closed. Nothing changed.
	ErrClosed error = kind(CodeClosed)
	// ErrLocked is a data directory in use by another process; or it was copied, and another node runs with the identity in it.
	ErrLocked error = kind(CodeLocked)
	// ErrStorage means that the disk refused: full, read-only or broken.
	ErrStorage error = kind(CodeStorage)
	// ErrCorrupted is a stored file that is damaged.
	ErrCorrupted error = kind(CodeCorrupted)
	// ErrNetwork is an address that cannot be listened on or reached.
	ErrNetwork error = kind(CodeNetwork)
	// ErrAddressInUse is a listen address that another socket holds. No node was opened.
	ErrAddressInUse error = kind(CodeAddressInUse)
	// ErrTimeout means that the time given ran out; what was asked for may still happen. An error that a context's deadline
	// caused matches [context.DeadlineExceeded] too.
	ErrTimeout error = kind(CodeTimeout)
	// ErrFull means that max_entries or max_bytes is reached. Nothing changed.
	ErrFull error = kind(CodeFull)
	// ErrUnsupported is a format or protocol version that this library does not speak.
	ErrUnsupported error = kind(CodeUnsupported)
	// ErrForked means that the handle was opened before a fork, and this is the child.
	ErrForked error = kind(CodeForked)
	// ErrNotPermitted means that the map's writers do not include this node. Nothing changed.
	ErrNotPermitted error = kind(CodeNotPermitted)
	// ErrInternal is a bug in p2pmap. Please report it.
	ErrInternal error = kind(CodeInternal)
)

// kind is what the variables above hold: an error without a story.
type kind Code

func (k kind) Error() string {
	return "p2pmap: " + strings.ReplaceAll(strings.ToLower(Code(k).String()), "_", " ")
}

// Error is what every call of this package fails with, save those that a context ended.
type Error struct {
	Code Code
	// Message is a sentence that names the thing, the limit and the remedy. It never holds a value.
	Message string
	cause   error
}

func (e *Error) Error() string { return "p2pmap: " + e.Message }

// Is matches the variable of this error's kind.
func (e *Error) Is(target error) bool { return target == error(kind(e.Code)) }

// Unwrap gives [context.DeadlineExceeded] where a context's deadline was the cause.
func (e *Error) Unwrap() error { return e.cause }

// failed makes an error of a status below zero, and frees the library's; other statuses are no errors.
func failed(status C.p2pmap_status, told *C.p2pmap_error) error {
	if status >= 0 {
		return nil
	}
	message := C.GoString(C.p2pmap_error_message(told))
	C.p2pmap_error_free(told)
	return &Error{Code: Code(status), Message: message}
}

// told is where the library puts its error.
type told = **C.p2pmap_error

// try makes a call, and an error of its status if that is one.
func try(call func(told told) C.p2pmap_status) error {
	var told *C.p2pmap_error
	status := call(&told)
	return failed(status, told)
}

package p2pmap

// #include "glue.h"
import "C"

import (
	"context"
	"errors"
	"time"
)

// wait makes a call that blocks in C for up to the milliseconds it is given: until the deadline of ctx. When ctx is cancelled
// wait returns at once, and the call ends by itself later.
func wait[T any](ctx context.Context, call func(timeout C.uint64_t) (T, error)) (T, error) {
	var nothing T
	if ctx.Done() == nil {
		return call(C.P2PMAP_FOREVER)
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return nothing, context.Cause(ctx)
	}
	type outcome struct {
		result T
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		result, err := call(timeoutOf(ctx))
		done <- outcome{result, err}
	}()
	select {
	case out := <-done:
		return out.result, atDeadline(ctx, out.err)
	case <-ctx.Done():
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		// The call has the same deadline, and knows more to say.
		out := <-done
		return out.result, atDeadline(ctx, out.err)
	}
	return nothing, context.Cause(ctx)
}

// slice is how long one call into C waits at most, and so how long it goes on after its context was cancelled.
const slice = time.Second

// waitInSlices is wait for a call that may be made again after a timeout.
func waitInSlices[T any](ctx context.Context, call func(timeout C.uint64_t) (T, error)) (T, error) {
	return wait(ctx, func(C.uint64_t) (T, error) {
		for {
			result, err := call(min(timeoutOf(ctx), C.uint64_t(slice.Milliseconds())))
			if !errors.Is(err, ErrTimeout) || ctx.Err() != nil {
				return result, err
			}
		}
	})
}

// timeoutOf is what is left until the deadline of ctx, in milliseconds, rounded up.
func timeoutOf(ctx context.Context) C.uint64_t {
	deadline, limited := ctx.Deadline()
	if !limited {
		return C.P2PMAP_FOREVER
	}
	left := time.Until(deadline) + time.Millisecond - 1
	return C.uint64_t(max(left, 0).Milliseconds())
}

// atDeadline makes a timeout match context.DeadlineExceeded, if ctx has a deadline.
func atDeadline(ctx context.Context, err error) error {
	var told *Error
	if _, limited := ctx.Deadline(); limited && errors.As(err, &told) && told.Code == CodeTimeout {
		told.cause = context.DeadlineExceeded
	}
	return err
}

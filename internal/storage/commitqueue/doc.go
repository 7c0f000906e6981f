// Package commitqueue is the group commit of the stores: changes of a tenant
// that arrive while a commit is under way wait, and share the next one. It
// knows nothing of SQL; a store gives it a [Backend].
//
// # The life of a change
//
//  1. Commit puts it at the end of its tenant's line, or refuses with
//     ErrOverloaded where a named limit is reached.
//  2. A worker takes the line whose turn it is (tenants take turns) and from
//     its front a batch: as many changes as may share a commit, or the one
//     that commits alone. There is no timer: an idle queue commits at once, a
//     busy one gathers while the disk works.
//  3. Backend.Apply makes the batch durable, and each change gets its result.
//
// # What is promised
//
//   - Batches of one tenant are applied one after the other, and its changes in
//     the order of their arrival.
//   - The context of Commit bounds the waiting. A change that is not taken yet
//     leaves the line and nothing happens. One that is taken is committed or
//     not, whatever its caller does.
//   - Success is answered only if Apply said so, or if the change was found by
//     its id after an unknown outcome.
//
// # What is lost on failure
//
// When Apply cannot tell whether its COMMIT came through, the ids are looked
// up. What is found was committed and is acknowledged. What is missing is
// applied once more. What cannot be looked up, or is missing again, is answered
// with vault.ErrUnavailable: it may stand in the log, and nobody was told that
// it does. A panic of the backend is answered in the same way and is never
// applied again, since it would come again.
//
// A crash loses what waits in lines. None of it was acknowledged.
package commitqueue

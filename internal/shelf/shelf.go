// Package shelf knows what a store's shelf should show, what the platform was told, and the difference.
//
// # Files, not rows
//
// The state of a shelf is a list of record files: sorted by key, never changed, named by digest ([Files]). A layer is what one feed
// contributes to one store: the last full export with the partial ones on top. Wanted is the overlay of a shelf's layers, field by
// field. Sent is a stack of the same kind: the rows of every plan that arrived, on top of the last full one. Wanted is never stored
// as a whole; it is walked, so memory does not depend on the number of articles, and a push writes what it changes.
//
// # Unsettled
//
// Nobody outside knows when the platform reads a file. From the moment an attempt begins until its file is known to have been there
// to be read, the rows of the file are unsettled: every next file under that name repeats them, with the value that is wanted by
// then. So replacing a file takes no update with it, whenever the platform reads. The rules:
//
//   - An article differs when its wanted value is not what was sent, or not what began to leave and may have been read.
//   - A plan without a difference is no plan. The unsettled rows are in a file that lies under the name already.
//   - A field that is no longer wanted keeps, in an unsettled row, the value that began to leave.
//   - An article that was switched off for being missing and is there again is switched on, unless a feed speaks of that itself.
//   - A full plan repeats everything, so after it everything is unsettled and nothing else is.
//
// # Promotions
//
// Record files hold promotions beside articles, each right behind its article. What makes two promotions the same one is in the key
// ([PromotionKey]); a promotion is a whole and never merged field by field. The platform can't change one, it can only end it, and only
// in the very words that it was started in [doc]. So:
//
//   - What was sent is remembered literally, a share of a price with the price that it came to. An end repeats it and changes the status.
//   - What is wanted otherwise than it runs ends first. Starts of an article wait until all ends of its promotions are settled: nobody
//     outside knows in which order rows are read, or whether the file with the end was ([Summary].Waiting).
//   - What is over is never spoken of. What a full export no longer names is ended by a tombstone; what no layer has a word about is
//     left to run.
//   - Of two promotions of an article that hold at the same time one is sent, the one by which a piece costs the customer less; of equals,
//     or where a bundle can't be compared because the article's price is not known, the one that starts later, which is what the
//     platform shows [doc for REST], then the one on the later line. The other one is withheld, and starts when its rival is over, ends
//     or is no longer wanted.
//   - What runs stays, whatever else is wanted, with one exception: a struck-through price ends for a lower one that has begun. A bundle
//     neither ends anything nor is ended, for which of the two is better moves with the article's price, and would make them end and
//     start again with it; and nothing ends for a promotion that is still to come. Two that run already are left to.
//   - A price that the platform would refuse is withheld ([Summary].Withheld), and told to whoever asked for it ([Files.Lint]).
//
// # The brake
//
// An export that switches off, or lacks, an unusual share of what its layer had is held: the layer stays as it was, and whatever
// else is wanted goes out ([Files.Check]).
//
// # Going back
//
// What was wanted before is never put in place as it was. A layer that is put back ([Files.PutBack]) gets one more full file on top, which
// says of everything that was spoken of then what was said then, leaves the rest as it is now, and ends promotions that were not wanted.
// So the brake sees it, and whatever comes next lies above it.
//
// The package reads and writes record files. Which of them make up a layer, and in what state a plan is, are rows of the database.
package shelf

// Package sandbox is the simulated platform: an SFTP server over a real folder, the process that reads the catalogue, promotion and
// single-file documents which arrive there, a REST interface that does the same by requests, the shelves and promotions that come out
// of both, orders with the events that tell of them, and a page to look at it all.
//
// It exists because the platform has no test environment. It is written from the platform's contract with its own reader, tables
// and rules, and imports nothing else of this module, so that one mistake cannot pass on both sides. Where the contract is an
// assumption, [Rules] can make the sandbox behave the other way; what nobody outside knows is an option. [BrandRules] has what
// differs by brand.
//
// # Articles and promotions
//
// Articles come from [Options] and [Sandbox.AddArticle], never from a file: a row about an article that a store does not have is a row
// error. A promotion belongs to one article at one store and is known by its [identity]. It begins with the first row that says so,
// goes on when the row comes again unchanged, and ends early only by the same row with campaign_status=0: any other cell that
// differs makes the row an error, and the promotion goes on. Row errors are in the file's [Job]; the other rows count.
//
// # Requests, jobs and orders
//
// The REST interface has the documented paths and no other: whatever else is asked for is an empty 404. It lets in who has a token for
// the use, at most 60 times a minute from an address; then it blocks the address for a while. What changes a shelf becomes a job, which
// is QUEUED, IN_PROGRESS and then ends, by itself ([API.JobDelay]) or by [Sandbox.ProcessJobs], with what it did not take; an event tells
// of the end. A promotion is known by its names, stores and times, and comes again whole to be changed or ended; one that was made by
// SFTP is none of the requests' business, nor the other way round.
//
// Orders are made by [Sandbox.AddOrder], by the random lives of [Sandbox.StreamOrders] or by [Sandbox.RunScript], and live by
// [Sandbox.Advance], [Sandbox.ChangeCart] and [Sandbox.Cancel]. Customers are made up so that nobody can take them for real. Which states
// are told of by an event is the picking mode's: the platform's pickers (Pelican) or, with RESTRules.PartnerPicking, the store's own.
// Events go to [Webhook.URL] on their own time; each attempt is in [Sandbox.Deliveries] with its answer.
//
// # What it is strict about
//
// The zero value of [Features] is the strictest server that the contract allows: no posix-rename, no rename over an existing file,
// no setstat, no append, no read-write open, no renaming of folders. A client that works here works on a kinder server as well.
// [Limits] takes away more: reading back, stat, listings, renames, names with a dot, the home itself; or takes files away as they are
// closed. [Options.SetServer] turns any of it on by name.
//
// # What tests can see
//
// Everything is looked at from outside: [Sandbox.Operations] is what the server was asked to do, in the order in which it happened,
// [Sandbox.Changes] is what each final name showed over time, [Sandbox.Jobs] is what the platform made of the files, and
// [Sandbox.Shelf], [Sandbox.Promotions] and [Sandbox.EffectivePrice] are what a customer would see. [Sandbox.Requests] is what the REST
// interface was asked and answered, [Sandbox.APIJobs] is what became of it, [Sandbox.Deliveries] is which events were taken over and
// which were not. [Sandbox.Faults] breaks things at run time, and [FaultNames] has the names by which the page's port breaks them.
//
// # What it does not do
//
// It speaks no TLS. The logs are kept in memory and grow with use: it is made for tests and demonstrations.
// Limits of promotions (uses, orders) are kept and shown but never used up, and orders take nothing off a shelf.
// Shelves, promotions, jobs and orders are kept in memory too: a sandbox started again on the same folder begins with the articles of its
// options and reads the files that still lie there once more. Only the host key and the files themselves survive.
package sandbox

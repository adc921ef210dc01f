// Package sandbox is the simulated platform: an SFTP server over a real folder, the process that reads the catalogue, promotion and
// single-file documents which arrive there, the shelves and promotions that come out of them, and a page to look at them.
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
// [Sandbox.Shelf], [Sandbox.Promotions] and [Sandbox.EffectivePrice] are what a customer would see. [Sandbox.Faults] breaks things at run time.
//
// # What it does not do
//
// It has no REST and no webhooks. The logs are kept in memory and grow with use: it is made for tests and demonstrations.
// Limits of promotions (uses, orders) are kept and shown but never used up, as there are no orders.
// Shelves and promotions are kept in memory too: a sandbox started again on the same folder begins with the articles of its options and reads
// the files that still lie there once more. Only the host key and the files themselves survive.
package sandbox

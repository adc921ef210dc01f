// Package sandbox is the simulated platform: an SFTP server over a real folder, the process that reads the catalogue files which
// arrive there, the shelves that come out of it, and a page to look at them.
//
// It exists because the platform has no test environment. It is written from the platform's contract with its own reader, tables
// and rules, and imports nothing else of this module, so that one mistake cannot pass on both sides. Where the contract is an
// assumption, [Rules] can make the sandbox behave the other way; what nobody outside knows is an option.
//
// # What it is strict about
//
// The zero value of [Features] is the strictest server that the contract allows: no posix-rename, no rename over an existing file,
// no setstat, no append, no read-write open, no renaming of folders. A client that works here works on a kinder server as well.
// [Limits] takes away more: reading back, stat, renames from one folder to another.
//
// # What tests can see
//
// Everything is looked at from outside: [Sandbox.Operations] is what the server was asked to do, in the order in which it happened,
// [Sandbox.Changes] is what each final name showed over time, [Sandbox.Jobs] is what the platform made of the files, and
// [Sandbox.Shelf] is what a customer would see. [Sandbox.Faults] breaks things at run time.
//
// # What it does not do
//
// It has no promotions, REST or webhooks. The logs are kept in memory and grow with use: it is made for tests and demonstrations.
// Shelves are kept in memory too: a sandbox started again on the same folder begins with the articles of its options and reads
// the files that still lie there once more. Only the host key and the files themselves survive.
package sandbox

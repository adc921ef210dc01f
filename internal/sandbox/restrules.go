package sandbox

// RESTRules is how the REST interface, its jobs, orders and events differ from what is known from partners or assumed. The zero value
// is that; each switch is the other way round.
type RESTRules struct {
	// Limits and logins.

	NoBan       bool // more than 60 requests a minute don't block the address; that they do is documented
	AnyUseToken bool // a static token opens more than the use that it was named for; that it does not is assumed
	PlainErrors bool // error bodies are plain text; that they are JSON with code and message is assumed: nobody outside knows

	// Catalogue.

	OneProductNow    bool // an update of one product is carried out at once and answered 200 {"sku"}; the older behaviour, documented
	MaxSalesShort    bool // the field is called max_sales_quantity, as some texts have it, and not maximum_sales_quantity
	UnknownFields    bool // fields that the documentation does not have are ignored; that the request is refused is assumed, to be strict
	RejectionsFail   bool // a job with a rejected item ends FAILED; that it is COMPLETED is known from partners
	OnlyRejected     bool // feedback lists rejected items alone; that it lists all of them is assumed
	EmptyErrors      bool // the column errors of a feedback file is empty where there is none; it holds the word null is known from partners
	JobNames         bool // job events say job_status and vendor_id, not status and platform_vendor_id; some partners see that
	DownloadInJob    bool // the answer about a job has the download's address too; that only the event has it is documented
	Presigned        bool // downloads are on another host and signed by their address; that they are on the own one, with a token, is the other kind known
	SFTPEvents       bool // files that came by SFTP are told of by catalogue job events too; that they are not is assumed
	FirstPageIsZero  bool // pages of the catalogue's list are counted from 0; that they are from 1 is assumed, as for orders
	PromotionEvent   bool // promotion job events look like those of the catalogue; that they look like the job itself is assumed: nobody outside knows
	NoPromotionEvent bool // there are no events about promotion jobs; that there are is documented

	// Promotions.

	CrossedWays  bool // what was made by API can be changed by SFTP and the other way round; that it can't is documented
	NoDuplicates bool // a promotion that comes again unchanged is a job like any other; that its job is DUPLICATE is assumed
	PutReplaces  bool // articles that a later body lacks leave the promotion; that they stay is assumed

	// Orders.

	PartnerPicking bool // the store's own pickers pick: more events, and orders can be changed; else the platform's do (Pelican)
	OldOrderPath   bool // one order is at /v2/orders/{id} only; else at /v2/chains/{c}/orders/{id} only: nobody outside knows
	BothOrderPaths bool // one order is at both
	BareOrderList  bool // the list is at the path as the pages print it too; that only /orders answers is known from partners
	WindowByUpdate bool // the list's times mean the last update; that they mean the creation is assumed: nobody outside knows
	OldestFirst    bool // the list begins with the oldest order; that it begins with the newest is assumed
	CutPageSize    bool // a page_size beyond 500 is taken for 500; that it is refused is assumed
	NotFoundBody   bool // an order that is not there is a 404 with a body; that the body is empty is assumed
	LowerStates    bool // states are in lower case, as some pages write them
	AcceptedOrders bool // orders are ACCEPTED between RECEIVED and READY_FOR_PICKUP, as at some brands
	SilentCarts    bool // a changed cart is told by no event of its own; that the event comes again with the same state is assumed
	PickedUpEvents bool // PICKED_UP is told by an event too; that Pelican tells READY_FOR_PICKUP and CANCELLED alone is documented
	FewFields      bool // fields without a value are left out; that all of them come is assumed, from the documented example
	MoreFields     bool // fields come that no page has; that some will is what the documentation warns of

	// The secret in Authorization. It comes verbatim is documented; each of these is known from partners.

	BasicSecret  bool // as Basic and the secret, user:password, in base64
	BearerSecret bool // as Bearer and the secret
}

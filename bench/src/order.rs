//! What both sides ask for. Each program that includes this module says what it derives, in a macro `model!`, so that the
//! floor's program need not link the library.

/// The text that the value is to be found in.
pub(crate) const PROMPT: &str = include_str!("../data/prompt.txt");

/// The model that the requests name.
pub(crate) const MODEL: &str = "gpt-5-mini";

/// The key that the requests carry.
pub(crate) const KEY: &str = "sk-not-a-key";

model! {
    /// An order, as the customer wrote it.
    pub(crate) struct Order {
        #[schemars(length(min = 1, max = 32))]
        pub(crate) id: String,
        status: Status,
        #[schemars(regex(pattern = r"^\d{4}-\d{2}-\d{2}$"))]
        placed_on: String,
        deliver_by: Option<String>,
        customer: Customer,
        #[schemars(length(min = 1, max = 50))]
        pub(crate) items: Vec<Item>,
        discount: Option<Discount>,
        #[schemars(range(min = 0.0))]
        total: f64,
        payment: Payment,
        #[schemars(length(max = 10))]
        tags: Vec<String>,
        gift: bool,
        note: Option<String>,
    }

    #[serde(rename_all = "snake_case")]
    pub(crate) enum Status {
        New,
        Paid,
        Shipped,
        Cancelled,
    }

    pub(crate) struct Customer {
        #[schemars(length(min = 1))]
        name: String,
        email: Option<String>,
        phone: Option<String>,
        address: Address,
        #[schemars(range(max = 100))]
        loyalty: u8,
    }

    pub(crate) struct Address {
        street: String,
        city: String,
        #[schemars(length(min = 3, max = 10))]
        postal_code: String,
        #[schemars(length(equal = 2))]
        country: String,
    }

    pub(crate) struct Item {
        sku: String,
        /// As the shop names it.
        name: String,
        #[schemars(range(min = 1, max = 1000))]
        quantity: u32,
        #[schemars(range(min = 0.0))]
        unit_price: f64,
        unit: Unit,
        options: Vec<String>,
        note: Option<String>,
    }

    #[serde(rename_all = "snake_case")]
    pub(crate) enum Unit {
        Piece,
        Box,
        Kilogram,
        Metre,
    }

    pub(crate) struct Discount {
        code: String,
        #[schemars(range(min = 0, max = 100))]
        percent: u8,
    }

    #[serde(tag = "kind", rename_all = "snake_case")]
    pub(crate) enum Payment {
        Invoice { days: u16 },
        Card { last_four: String },
        Transfer { iban: String },
    }
}

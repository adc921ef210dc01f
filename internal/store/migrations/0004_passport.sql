-- What the platform's server is known to allow, and which of its keys an admin accepted.

CREATE TABLE passports (
    account TEXT PRIMARY KEY,             -- fingerprint of server and user
    body    TEXT NOT NULL,                -- JSON: outbox.Passport
    at      BIGINT NOT NULL               -- of the probe
);

CREATE TABLE host_keys (                  -- beside those of the config
    address     TEXT NOT NULL,            -- host:port
    fingerprint TEXT NOT NULL,
    who         TEXT NOT NULL,
    at          BIGINT NOT NULL,
    PRIMARY KEY (address, fingerprint)
);

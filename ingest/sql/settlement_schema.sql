-- One row: one settlement, an event that replaces the figures of another of the same source. It is
-- written in the transaction that acknowledges it, and applied once that other event is there and
-- folded: then two rows of usage_event say what it changed. It goes when the day it is about does.
CREATE TABLE settlement (
    event_key     uuid PRIMARY KEY,      -- of its source and its own id, which counts once for good
    corrects_key  uuid NOT NULL,         -- of its source and the id that it names
    key_id        integer NOT NULL,
    source        text NOT NULL,
    format        text NOT NULL,
    received_at   timestamptz NOT NULL,
    made_at       timestamptz NOT NULL,  -- of several about one event the latest counts
    said          jsonb,                 -- what it says, while it waits
    tries         integer NOT NULL DEFAULT 0,
    next_try_at   timestamptz,           -- NULL: it waits no more
    applied_at    timestamptz,
    given_up_at   timestamptz,
    reason        text,                  -- no_such_event, id_is_taken or cannot_be_stored
    original_key  uuid,                  -- once applied: the event, which may not be what it names
    day           date,                  -- that event's UTC day
    in_force      boolean NOT NULL DEFAULT false  -- its figures are those that count
);
CREATE INDEX settlement_waiting ON settlement (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE INDEX settlement_received ON settlement (received_at);
CREATE INDEX settlement_original ON settlement (original_key, day);
CREATE UNIQUE INDEX settlement_in_force ON settlement (original_key, day) WHERE in_force;

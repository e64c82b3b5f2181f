-- Signed deliveries already taken in, by the id that their sender gave them: a repeat is known by it.
create table webhook_delivery (
    webhook_id varchar(200) primary key,
    received_at timestamp not null
);
create index webhook_delivery_age on webhook_delivery (received_at);

-- The token that a link was made with, when it was made with one: the link ends with it. Null also for links of older code.
alter table file_shares add column token_id bigint references tokens on delete cascade;
create index file_shares_by_token on file_shares (token_id) where token_id is not null;

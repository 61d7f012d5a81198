create table usuarios (
    id            uuid primary key,
    nome          text not null check (length(nome) between 1 and 100),
    email         text not null,
    senha         text not null,
    total_tarefas integer not null default 0 check (total_tarefas >= 0),
    criado_em     timestamptz not null default now()
);

create unique index usuarios_email on usuarios (lower(email));

create table tarefas (
    id         uuid primary key,
    usuario_id uuid not null references usuarios (id) on delete cascade,
    titulo     text not null check (length(titulo) between 1 and 200),
    descricao  text not null default '',
    concluida  boolean not null default false,
    criada_em  timestamptz not null default now()
);

create index tarefas_usuario on tarefas (usuario_id, criada_em desc);

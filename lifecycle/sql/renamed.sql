-- Tell the ledger of a policy's earlier name; its fold moves agenda and exceptions.
SELECT lifecycle.write_v1('policy_changed', %(new)s, %(model)s, NULL, 0, NULL, NULL, NULL,
    jsonb_build_object('previously', %(old)s::text, 'state', %(state)s::text), NULL)

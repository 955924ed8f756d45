//! What each function may do on AWS.

/// What each function may do beside writing its log: the whole of its rights, and why a change here needs a second look.
pub const RIGHTS: &[(&str, &[&str])] = &[
    (
        "auth",
        &[
            "rds-db:connect plinth_auth",
            "secretsmanager:GetSecretValue MasterKey",
            "sqs:SendMessage Queue",
        ],
    ),
    (
        "connection-test",
        &[
            "rds-db:connect IamDatabaseUsers",
            "rds-db:connect plinth_connect",
            "secretsmanager:GetSecretValue MasterKey",
            "secretsmanager:GetSecretValue connections",
            "sts:AssumeRole IamDatabaseRoles",
        ],
    ),
    (
        "connections",
        &[
            "rds-db:connect plinth_control",
            "secretsmanager:CreateSecret connections",
            "secretsmanager:DeleteSecret connections",
            "secretsmanager:GetSecretValue MasterKey",
            "secretsmanager:GetSecretValue connections",
            "secretsmanager:PutSecretValue connections",
            "secretsmanager:RestoreSecret connections",
            "secretsmanager:TagResource connections",
        ],
    ),
    (
        "gdpr-delete",
        &[
            "rds-db:connect IamDatabaseUsers",
            "rds-db:connect plinth_privacy",
            "secretsmanager:GetSecretValue MasterKey",
            "secretsmanager:GetSecretValue connections",
            "sqs:SendMessage Queue",
            "sts:AssumeRole IamDatabaseRoles",
        ],
    ),
    (
        "gdpr-export",
        &[
            "rds-db:connect IamDatabaseUsers",
            "rds-db:connect plinth_privacy",
            "s3:GetObject Exports",
            "secretsmanager:GetSecretValue MasterKey",
            "secretsmanager:GetSecretValue connections",
            "sqs:SendMessage Queue",
            "sts:AssumeRole IamDatabaseRoles",
        ],
    ),
    (
        "generate-docs",
        &[
            "rds-db:connect IamDatabaseUsers",
            "rds-db:connect plinth_api",
            "rds-db:connect plinth_control",
            "secretsmanager:GetSecretValue MasterKey",
            "secretsmanager:GetSecretValue connections",
            "sqs:SendMessage Queue",
            "sts:AssumeRole IamDatabaseRoles",
        ],
    ),
    (
        "migrate",
        &[
            "rds-db:connect plinth_control",
            "rds-db:connect plinth_provision",
            "secretsmanager:GetSecretValue MasterKey",
            "secretsmanager:GetSecretValue master login",
        ],
    ),
    (
        "projects",
        &[
            "rds-db:connect plinth_control",
            "secretsmanager:GetSecretValue MasterKey",
            "secretsmanager:GetSecretValue connections",
            "sqs:SendMessage Queue",
        ],
    ),
    (
        "provision",
        &[
            "rds-db:connect IamDatabaseUsers",
            "rds-db:connect plinth_control",
            "rds-db:connect plinth_provision",
            "secretsmanager:CreateSecret connections",
            "secretsmanager:DeleteSecret connections",
            "secretsmanager:GetSecretValue MasterKey",
            "secretsmanager:GetSecretValue connections",
            "secretsmanager:PutSecretValue connections",
            "secretsmanager:RestoreSecret connections",
            "secretsmanager:TagResource connections",
            "sts:AssumeRole IamDatabaseRoles",
        ],
    ),
    (
        "purge",
        &[
            "rds-db:connect plinth_control",
            "rds-db:connect plinth_provision",
            "secretsmanager:DeleteSecret connections",
            "secretsmanager:GetSecretValue MasterKey",
        ],
    ),
    (
        "records",
        &[
            "rds-db:connect IamDatabaseUsers",
            "rds-db:connect plinth_api",
            "rds-db:connect plinth_records",
            "secretsmanager:GetSecretValue MasterKey",
            "secretsmanager:GetSecretValue connections",
            "sts:AssumeRole IamDatabaseRoles",
        ],
    ),
    (
        "sql",
        &[
            "rds-db:connect IamDatabaseUsers",
            "rds-db:connect plinth_sql",
            "secretsmanager:GetSecretValue MasterKey",
            "secretsmanager:GetSecretValue connections",
            "sts:AssumeRole IamDatabaseRoles",
        ],
    ),
    (
        "tables",
        &[
            "rds-db:connect plinth_control",
            "rds-db:connect plinth_provision",
            "secretsmanager:GetSecretValue MasterKey",
        ],
    ),
    (
        "worker",
        &[
            "rds-db:connect IamDatabaseUsers",
            "rds-db:connect plinth_privacy",
            "s3:AbortMultipartUpload Exports",
            "s3:DeleteObject Exports",
            "s3:PutObject Exports",
            "secretsmanager:DeleteSecret connections",
            "secretsmanager:GetSecretValue AiKeyArn",
            "secretsmanager:GetSecretValue MasterKey",
            "secretsmanager:GetSecretValue connections",
            "sts:AssumeRole IamDatabaseRoles",
        ],
    ),
];

# RDS for PostgreSQL, if AWS shall run the database. AWS makes and turns the master password; Ansible makes App's own user.

locals {
  with_database = var.database == null ? 0 : 1
}

resource "aws_db_subnet_group" "this" {
  count      = local.with_database
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_db_parameter_group" "this" {
  count  = local.with_database
  name   = "${var.name}-postgresql16"
  family = "postgres16"

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  parameter {
    name  = "log_statement" # schema changes only: statements of data carry patients' data
    value = "ddl"
  }

  parameter {
    name  = "log_min_duration_statement"
    value = "2000"
  }

  parameter {
    name  = "log_parameter_max_length" # a slow statement is logged without its values
    value = "0"
  }
}

resource "aws_db_instance" "this" {
  # checkov:skip=CKV_AWS_157: Two zones are a setting (`database.multi_az`), because they double the price.
  # checkov:skip=CKV_AWS_161: App signs in with a password of its own user, over TLS; its SQL library has no IAM tokens.
  # checkov:skip=CKV2_AWS_30: Query logging is on for schema changes and slow statements, without values: others carry patients' data.
  count                           = local.with_database
  identifier                      = var.name
  engine                          = "postgres"
  engine_version                  = "16"
  instance_class                  = var.database.instance_class
  db_name                         = "lightbox"
  username                        = "lightbox_owner"
  manage_master_user_password     = true
  master_user_secret_kms_key_id   = var.key_arn
  allocated_storage               = var.database.storage_gb
  max_allocated_storage           = var.database.max_storage_gb
  storage_type                    = "gp3"
  storage_encrypted               = true
  kms_key_id                      = var.key_arn
  multi_az                        = var.database.multi_az
  publicly_accessible             = false
  db_subnet_group_name            = aws_db_subnet_group.this[0].name
  parameter_group_name            = aws_db_parameter_group.this[0].name
  vpc_security_group_ids          = [var.security_groups["database"]]
  ca_cert_identifier              = "rds-ca-rsa2048-g1"
  backup_retention_period         = var.database.backup_days
  copy_tags_to_snapshot           = true
  deletion_protection             = var.protect
  skip_final_snapshot             = !var.protect
  final_snapshot_identifier       = var.protect ? "${var.name}-last" : null
  auto_minor_version_upgrade      = true
  performance_insights_enabled    = true
  performance_insights_kms_key_id = var.key_arn
  monitoring_interval             = 60
  monitoring_role_arn             = aws_iam_role.rds_monitoring[0].arn
  enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]
}

resource "aws_iam_role" "rds_monitoring" {
  count = local.with_database
  name  = "${var.name}-rds-monitoring"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "monitoring.rds.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy_attachment" "rds_monitoring" {
  count      = local.with_database
  role       = aws_iam_role.rds_monitoring[0].name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}

# ElastiCache, if AWS shall run Redis. What it holds may be lost at any time; it must never evict, because it holds the queue.

locals {
  with_cache = var.cache == null ? 0 : 1
}

resource "aws_elasticache_subnet_group" "this" {
  count      = local.with_cache
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_elasticache_parameter_group" "this" {
  count  = local.with_cache
  name   = "${var.name}-valkey8"
  family = "valkey8"

  parameter {
    name  = "maxmemory-policy"
    value = "noeviction"
  }
}

resource "aws_elasticache_replication_group" "this" {
  # checkov:skip=CKV2_AWS_50: Replicas in other zones are a setting (`cache.replicas`): what Redis holds may be lost at any time.
  count                      = local.with_cache
  replication_group_id       = var.name
  description                = "Queue, cache, live events and sessions of ${var.name}"
  engine                     = "valkey"
  engine_version             = "8.0"
  node_type                  = var.cache.node_type
  num_cache_clusters         = 1 + var.cache.replicas
  automatic_failover_enabled = var.cache.replicas > 0
  multi_az_enabled           = var.cache.replicas > 0
  port                       = 6379
  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
  auth_token                 = var.cache_token
  at_rest_encryption_enabled = true
  kms_key_id                 = var.key_arn
  subnet_group_name          = aws_elasticache_subnet_group.this[0].name
  parameter_group_name       = aws_elasticache_parameter_group.this[0].name
  security_group_ids         = [var.security_groups["cache"]]
  auto_minor_version_upgrade = true
}

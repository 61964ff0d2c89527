# The portal as it comes: closed, private, encrypted.

mock_provider "aws" {
  source = "./tests/mocked"
}

run "network" {
  module {
    source = "./modules/network"
  }
  variables {
    name              = "lightbox"
    region            = "eu-central-1"
    vpc_cidr          = "10.0.0.0/16"
    zones             = { a = { public_cidr = "10.0.1.0/24", private_cidr = "10.0.2.0/24" }, b = { public_cidr = "10.0.3.0/24", private_cidr = "10.0.4.0/24" } }
    nat               = "zonal"
    endpoint_services = ["ssm"]
    endpoint_group_id = "sg-1"
    key_arn           = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    log_days          = 365
  }

  assert {
    condition     = length(aws_route.private_out) == 2 && alltrue([for route in aws_route.private_out : route.gateway_id == null && route.nat_gateway_id != null])
    error_message = "A private subnet has a route to the internet gateway."
  }
  assert {
    condition     = alltrue([for zone, link in aws_route_table_association.private : link.route_table_id == aws_route_table.private[zone].id && link.route_table_id != aws_route_table.public.id])
    error_message = "A private subnet uses the public route table."
  }
  assert {
    condition     = alltrue([for subnet in merge(aws_subnet.public, aws_subnet.private) : !coalesce(subnet.map_public_ip_on_launch, false)])
    error_message = "A subnet gives public addresses by itself."
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 2 && aws_flow_log.all.traffic_type == "ALL"
    error_message = "Expected a NAT gateway a zone and flow logs of all traffic."
  }
  assert {
    condition     = length(aws_default_security_group.closed.ingress) == 0 && length(aws_default_security_group.closed.egress) == 0
    error_message = "The default security group lets something through."
  }
}

run "storage" {
  module {
    source = "./modules/storage"
  }
  variables {
    name            = "lightbox"
    buckets         = { studies = "s", models = "m", logs = "l" }
    key_arn         = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    subnet_ids      = ["subnet-1", "subnet-2"]
    security_groups = { database = "sg-1", cache = "sg-2" }
    database        = { instance_class = "db.t4g.small", storage_gb = 20, max_storage_gb = 100, backup_days = 35, multi_az = true }
    cache           = { node_type = "cache.t4g.small", replicas = 1 }
    cache_token     = "0123456789abcdef0123456789abcdef"
    keep            = { inputs_days = 30, archive_days = 90, old_version_days = 90 }
    log_days        = 365
    direct_from     = "https://lightbox.hospital.example"
    protect         = true
    images          = ["ui"]
  }

  assert {
    condition     = length(aws_s3_bucket_public_access_block.all) == 3 && alltrue([for block in aws_s3_bucket_public_access_block.all : block.block_public_acls && block.block_public_policy && block.ignore_public_acls && block.restrict_public_buckets])
    error_message = "A bucket may be made public."
  }
  assert {
    condition     = alltrue([for encryption in aws_s3_bucket_server_side_encryption_configuration.kept : one(one(encryption.rule).apply_server_side_encryption_by_default).sse_algorithm == "aws:kms"])
    error_message = "A bucket of studies or models is not encrypted with KMS."
  }
  assert {
    condition     = alltrue([for policy in aws_s3_bucket_policy.tls : jsondecode(policy.policy).Statement[1].Condition.Null["s3:x-amz-server-side-encryption-aws-kms-key-id"] == "false"])
    error_message = "An upload that leaves the key to the bucket would be refused."
  }
  assert {
    condition     = alltrue([for versioning in aws_s3_bucket_versioning.kept : one(versioning.versioning_configuration).status == "Enabled"])
    error_message = "A bucket keeps no versions."
  }
  assert {
    condition     = alltrue([for rule in aws_s3_bucket_lifecycle_configuration.studies[0].rule : length(rule.expiration) == 0 || contains(["processed/", "rejected/", "uploads/"], one(rule.filter).prefix)])
    error_message = "Something besides inputs and unfinished uploads expires by itself."
  }
  assert {
    condition     = [for rule in one(aws_s3_bucket_cors_configuration.studies[*]).cors_rule : [rule.allowed_methods, rule.allowed_origins]] == [[toset(["POST"]), toset(["https://lightbox.hospital.example"])]]
    error_message = "Pages other than the portal's may write to the bucket, or its own read it."
  }
  assert {
    condition     = !aws_db_instance.this[0].publicly_accessible && aws_db_instance.this[0].storage_encrypted && aws_db_instance.this[0].manage_master_user_password
    error_message = "The database is public, unencrypted, or has a password that Terraform knows."
  }
  assert {
    condition     = aws_elasticache_replication_group.this[0].transit_encryption_enabled && aws_elasticache_replication_group.this[0].at_rest_encryption_enabled
    error_message = "Redis is not encrypted."
  }
  assert {
    condition     = one([for parameter in aws_elasticache_parameter_group.this[0].parameter : parameter.value if parameter.name == "maxmemory-policy"]) == "noeviction"
    error_message = "Redis may evict the queue."
  }
}

run "observability" {
  module {
    source = "./modules/observability"
  }
  variables {
    name            = "lightbox"
    key_arn         = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    tiers           = ["app"]
    log_days        = 365
    agent_tiers     = ["app"]
    mail            = []
    budget_usd      = 500
    hosts           = {}
    database        = ""
    dead_queue_name = "lightbox-dead"
  }

  assert {
    condition     = [for tier, parameter in aws_ssm_parameter.agent : jsondecode(parameter.value).logs.metrics_collected.prometheus.prometheus_config_path if parameter.type == "SecureString"] == ["/opt/aws/amazon-cloudwatch-agent/etc/lightbox-scrape.yml"]
    error_message = "The agent must read the file that Ansible's role cloudwatch writes."
  }
  assert {
    condition     = one(aws_budgets_budget.month[0].cost_filter).values == tolist([format("user:Portal%slightbox", "$")])
    error_message = "The budget counts what no host is tagged with: the filter must be user:Portal$ and the portal's name."
  }
}

run "whole_portal" {
  assert {
    condition     = toset(keys(output.hosts)) == toset(["edge", "ui", "app", "ml", "monitoring"]) && length(output.groups) == 0
    error_message = "Expected five single hosts."
  }
  assert {
    condition     = [for tier, host in output.hosts : tier if host.reach == "public"] == ["edge"] && keys(output.public_ips) == ["edge"]
    error_message = "Only the edge may stand in the public subnet."
  }
  assert {
    condition     = alltrue([for tier, host in output.hosts : host.tags.Tier == tier && host.tags.Portal == "lightbox"])
    error_message = "The inventory finds hosts by the tags Tier and Portal."
  }
  assert {
    condition     = length([for rule in output.network_rules : rule if rule.port == 22]) == 0
    error_message = "Port 22 is open without a bastion."
  }
}

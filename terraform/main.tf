# One portal in one VPC: who stands where, and how the parts know each other.

locals {
  matrix = jsondecode(file("${path.module}/network_matrix.json"))

  bastion = var.ssh_bastion == null ? {} : { bastion = { instance_type = "t3.nano", root_gb = 8, data_gb = 0, private_ip = null, zone = null, group = null } }
  tiers   = merge(var.tiers, local.bastion)
  reach   = { for tier in keys(local.tiers) : tier => local.matrix.places[tier].subnet }
  ports   = { ui = 5001, app = 5000, ml = 8000 }
  groups  = [for tier, what in var.tiers : tier if what.group != null]

  places = setunion(
    ["internet", "operators", "alert_receivers", "directory", "aws", "s3"], keys(local.tiers),
    length(local.groups) > 0 ? ["balancer"] : [],
    var.database != null ? ["database"] : [],
    var.cache != null ? ["cache"] : [],
  )
  switches = setunion(
    var.ssh_bastion != null ? ["ssh_bastion"] : [],
    length(var.alert_receivers) > 0 ? ["alert_receivers"] : [],
    length(var.directory) > 0 ? ["directory"] : [],
    var.provisioning ? ["provisioning", "releases"] : [],
    var.github_repository != "" ? ["releases"] : [],
  )

  bucket_prefix = coalesce(var.bucket_prefix, var.name)
  buckets       = { for use in ["studies", "models", "logs"] : use => "${local.bucket_prefix}-${use}" }

  debian   = "/aws/service/debian/release/12/latest/amd64"
  image_id = var.image_id != null ? var.image_id : data.aws_ssm_parameter.debian[0].insecure_value
}

data "aws_ssm_parameter" "debian" {
  count = var.image_id == null ? 1 : 0
  name  = local.debian
}

module "network" {
  source            = "./modules/network"
  name              = var.name
  region            = var.region
  vpc_cidr          = var.vpc_cidr
  zones             = var.zones
  nat               = var.nat
  endpoint_services = concat(["ssm", "ssmmessages", "ec2messages", "ecr.api", "ecr.dkr", "logs", "monitoring", "kms", "sqs"], var.healthimaging_datastore == "" ? [] : ["medical-imaging"])
  endpoint_group_id = module.security.groups["aws"]
  key_arn           = module.security.key_arn
  log_days          = var.log_days
}

module "security" {
  source            = "./modules/security"
  name              = var.name
  vpc_id            = module.network.vpc_id
  vpc_cidr          = var.vpc_cidr
  matrix            = local.matrix
  places            = local.places
  switches          = local.switches
  addresses         = { operators = coalesce(var.ssh_bastion, []), alert_receivers = var.alert_receivers, directory = var.directory }
  s3_prefix_list_id = module.network.s3_prefix_list_id
  buckets           = local.buckets
  github_repository = var.github_repository
  log_group_prefix  = "/${var.name}/tiers"

  healthimaging_datastore = var.healthimaging_datastore
}

module "compute" {
  source               = "./modules/compute"
  name                 = var.name
  vpc_id               = module.network.vpc_id
  tiers                = local.tiers
  reach                = local.reach
  subnets              = module.network.subnets
  security_groups      = module.security.groups
  profiles             = module.security.profiles
  ports                = local.ports
  image_ids            = { for tier in keys(local.tiers) : tier => tier == "ml" && var.gpu_image_id != null ? var.gpu_image_id : local.image_id }
  key_arn              = module.security.key_arn
  scale_on_queue_age_s = var.scale_on_queue_age_s
  idle_minutes         = var.idle_minutes
  protect              = var.protect
  deploy_script        = file("${path.module}/../containers/deploy_on_host.sh")
}

module "storage" {
  source          = "./modules/storage"
  name            = var.name
  buckets         = local.buckets
  key_arn         = module.security.key_arn
  subnet_ids      = [for subnet in module.network.subnets.private : subnet.id]
  security_groups = module.security.groups
  database        = var.database
  cache           = var.cache
  cache_token     = var.cache_token
  keep            = var.keep
  direct_from     = var.direct_uploads_from
  log_days        = var.log_days
  protect         = var.protect
  images          = var.images
}

module "ingest" {
  source       = "./modules/ingest"
  name         = var.name
  bucket       = module.storage.studies_bucket
  key_arn      = module.security.key_arn
  starter      = var.ml_starter
  idle_minutes = var.idle_minutes
  starter_host = try({ id = module.compute.hosts["ml"].id, arn = module.compute.hosts["ml"].arn }, null)
  log_days     = var.log_days
}

module "observability" {
  source          = "./modules/observability"
  name            = var.name
  key_arn         = module.security.key_arn
  tiers           = keys(local.tiers)
  log_days        = var.log_days
  agent_tiers     = var.cloudwatch_agent ? keys(var.tiers) : []
  mail            = var.alarm_mail
  budget_usd      = var.budget_usd
  hosts           = { for tier, host in module.compute.hosts : tier => host.id }
  database        = var.database == null ? "" : var.name
  dead_queue_name = module.ingest.dead_queue_name
}

variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "buckets" {
  description = "Names of the buckets `studies`, `models` and `logs`."
  type        = object({ studies = string, models = string, logs = string })
}

variable "key_arn" {
  description = "KMS key of images, models, database and cache."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets of database and cache."
  type        = list(string)
}

variable "security_groups" {
  description = "Security groups by place of the network matrix."
  type        = map(string)
}

variable "database" {
  description = "RDS for PostgreSQL; null: PostgreSQL or SQLite on the App host."
  type        = object({ instance_class = string, storage_gb = number, max_storage_gb = number, backup_days = number, multi_az = bool })
}

variable "cache" {
  description = "ElastiCache; null: Redis on the App host."
  type        = object({ node_type = string, replicas = number })
}

variable "cache_token" {
  description = "Password of ElastiCache, which Ansible gives to App as part of LIGHTBOX_REDIS_URL."
  type        = string
  sensitive   = true
}

variable "keep" {
  description = "Days: until processed and rejected inputs go, until studies move to cheaper storage, until replaced objects go; null: nothing leaves by itself."
  type        = object({ inputs_days = number, archive_days = number, old_version_days = number })
}

variable "direct_from" {
  description = "Origin whose pages may send large files straight to the bucket of studies; empty: none."
  type        = string
}

variable "log_days" {
  description = "Days that access logs are kept."
  type        = number
}

variable "protect" {
  description = "Refuse to delete the database and its last snapshot by mistake."
  type        = bool
}

variable "images" {
  description = "Container images that the pipeline pushes."
  type        = set(string)
}

